# syntax=docker/dockerfile:1
# Kinfolk in a container, for amd64 and aarch64. Two images come out of it:
#
#   docker build --target app   -t ghcr.io/kinfolk/kinfolk:0.1.0 .        for Docker, Podman, Compose (default target)
#   docker build --target addon -t ghcr.io/kinfolk/kinfolk-addon:0.1.0 .  for the Home Assistant add-on
#
# AMD graphics cards (amd64 only, never built; see docs/amd.md):
#
#   docker build --build-arg ACCELERATOR=rocm -t kinfolk-rocm .
#
# Home Assistant builds the second one itself, from the folder that scripts/local-addon.sh writes.
#
# Wheels need glibc, so nothing here is Alpine.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm
ARG ROCM_IMAGE=rocm/dev-ubuntu-24.04:7.2.4-complete
ARG ACCELERATOR=cpu

# --- What is installed, in a virtual environment that is copied as a whole -----------------------------------------
FROM ${PYTHON_IMAGE} AS build
ARG ACCELERATOR
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1
WORKDIR /src
RUN python -m venv /opt/kinfolk
COPY requirements.lock requirements-build.lock deploy/requirements-rocm.lock deploy/requirements-migraphx.lock ./
# Every version and hash is in the lock files, so there is nothing to resolve.
RUN /opt/kinfolk/bin/pip install --require-hashes --no-deps --requirement requirements.lock
# Beside the plain package the one for AMD silently loses its provider, so that one takes its place.
RUN case "$ACCELERATOR" in \
      cpu) ;; \
      rocm|migraphx) /opt/kinfolk/bin/pip uninstall --yes onnxruntime \
        && /opt/kinfolk/bin/pip install --require-hashes --no-deps --requirement "requirements-$ACCELERATOR.lock" ;; \
      *) echo "ACCELERATOR is cpu, rocm or migraphx, not $ACCELERATOR" >&2; exit 2 ;; \
    esac
COPY pyproject.toml README.md LICENSE ./
COPY plugin plugin
COPY templates templates
COPY static static
# Chroma needs kubernetes on clusters of its own only; it is an eighth of the image, and never imported here.
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --no-deps --requirement requirements-build.lock \
    && /opt/build/bin/pip wheel --no-build-isolation --no-deps --wheel-dir /dist . \
    && /opt/kinfolk/bin/pip install --no-deps --no-index /dist/*.whl \
    && /opt/kinfolk/bin/pip uninstall --yes kubernetes pip \
    && /opt/kinfolk/bin/python -m compileall -q /opt/kinfolk/lib

# --- Where it runs: Debian slim, or AMD's image with ROCm and this very Python -----------------------------------------
FROM ${PYTHON_IMAGE} AS runtime-cpu

# FROM names a tag of AMD's; the Python of that system is installed for the libraries it brings, not to be used.
# hadolint ignore=DL3006
FROM ${ROCM_IMAGE} AS runtime-rocm
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local /usr/local
RUN ldconfig

FROM runtime-rocm AS runtime-migraphx

# --- What runs -------------------------------------------------------------------------------------------------------
# hadolint ignore=DL3006
FROM runtime-${ACCELERATOR} AS base
ENV PATH=/opt/kinfolk/bin:$PATH \
    KINFOLK_DATA=/data \
    KINFOLK_WEB__HOST=0.0.0.0 \
    HOME=/tmp \
    ORT_DISABLE_TELEMETRY=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN groupadd --gid 8099 kinfolk \
    && useradd --uid 8099 --gid kinfolk --home-dir /tmp --no-create-home --shell /usr/sbin/nologin kinfolk \
    && install --directory --owner=kinfolk --group=kinfolk --mode=0700 /data
COPY --from=build /opt/kinfolk /opt/kinfolk
COPY --chmod=0755 deploy/healthy.sh deploy/entrypoint.sh /usr/local/bin/
VOLUME /data
EXPOSE 8099
# SIGTERM: what is being looked at is finished, then Kinfolk ends. Give it time (stop_grace_period, timeout).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=5s --start-period=60s --retries=3 CMD ["healthy.sh"]
ENTRYPOINT ["entrypoint.sh"]
CMD ["serve"]

# --- For Home Assistant: begins as root, since the Supervisor's files are root's, and drops that at once --------------
FROM base AS addon
ARG BUILD_VERSION=0.1.0
ARG BUILD_ARCH=amd64
# The Supervisor sets what differs; the rest is `FIXED` in plugin/settings/addon_options.py.
ENV KINFOLK_WEB__HOST=
EXPOSE 8098
LABEL io.hass.type="addon" \
      io.hass.name="Kinfolk" \
      io.hass.version="${BUILD_VERSION}" \
      io.hass.arch="${BUILD_ARCH}" \
      org.opencontainers.image.title="Kinfolk for Home Assistant" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${BUILD_VERSION}" \
      org.opencontainers.image.source="https://github.com/kinfolk/kinfolk"

# --- For everybody else: never root; works with a read-only root and without any capability ---------------------------
FROM base AS app
ARG BUILD_VERSION=0.1.0
LABEL org.opencontainers.image.title="Kinfolk" \
      org.opencontainers.image.description="People for the photo library you already run" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${BUILD_VERSION}" \
      org.opencontainers.image.source="https://github.com/kinfolk/kinfolk"
USER 8099:8099
