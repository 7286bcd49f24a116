#!/usr/bin/env bash
# `make lock`: resolve every dependency for Python 3.11 to 3.13 and all processors, with hashes.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

# Beside .venv, because uv is no part of what it locks.
uv=.cache/uv/bin/uv
if [ ! -x "$uv" ]; then
  scripts/setup.sh run
  step "Installing uv into .cache/uv" sh -c "$python -m venv .cache/uv && .cache/uv/bin/python -m pip install -q uv"
fi

compile() {
  "$uv" pip compile -q --no-config --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-annotate --custom-compile-command "make lock" "$@"
}

step "requirements.lock" compile --extra cpu pyproject.toml -o requirements.lock
step "requirements-dev.lock" compile --extra cpu pyproject.toml --group dev \
  --override requirements-overrides.txt -c requirements.lock -o requirements-dev.lock
# What takes the place of the plain ONNX Runtime in the containers for AMD: that package alone, the rest is locked above.
for card in rocm migraphx; do
  sed -n "s/^$card = \[\"\([^;\"]*\).*/\1/p" pyproject.toml >".cache/$card.in"
  step "deploy/requirements-$card.lock" "$uv" pip compile -q --no-config --python-version 3.12 --no-deps \
    --python-platform x86_64-manylinux_2_36 --generate-hashes --no-emit-index-url --no-annotate \
    --custom-compile-command "make lock" ".cache/$card.in" -o "deploy/requirements-$card.lock"
done
# What the editable installation needs, with the versions of the tests.
printf 'editables\nhatchling\n' >.cache/build.in
step "requirements-build.lock" compile -c requirements-dev.lock .cache/build.in -o requirements-build.lock
