#!/bin/sh
# Write a folder that Home Assistant builds on the box itself, as a local add-on (docs/home-assistant.md):
#
#   sh scripts/local-addon.sh /addons         Kinfolk, on the processor
#   sh scripts/local-addon.sh /addons rocm    Kinfolk with ROCm, for AMD graphics cards (amd64 only)
#
# Nothing but a POSIX shell, cp, find and sed: the terminal of Home Assistant has little more.
set -eu

fail() { echo "$1" >&2; exit 2; }

usage="Usage: sh scripts/local-addon.sh /addons [rocm]"
[ $# -ge 1 ] && [ $# -le 2 ] || fail "$usage"
addons=$1
case ${2:-cpu} in
  cpu) accelerator=cpu slug=kinfolk ;;
  rocm) accelerator=rocm slug=kinfolk_rocm ;;
  *) fail "$usage" ;;
esac
[ -d "$addons" ] || fail "$addons is no folder; in the terminal of Home Assistant it is /addons"
addons=$(cd "$addons" && pwd)
source=$(cd "$(dirname "$0")/.." && pwd)
folder=$addons/$slug
if [ -e "$folder" ] && ! grep -qsx "slug: $slug" "$folder/config.yaml"; then
  fail "$folder is something else; move it away first"
fi

# The Supervisor passes over what begins with a dot, so it never sees half a folder.
part=$addons/.$slug.part
rm -rf "$part"
mkdir "$part"
cp -R "$source/kinfolk/." "$part"
(cd "$source" && cp -R .dockerignore LICENSE deploy plugin pyproject.toml requirements-build.lock requirements.lock \
  static templates "$part")
find "$part" -name __pycache__ -prune -exec rm -rf {} +

# It is built here, so there is no image to fetch, and nothing to say about one.
sed '/^image: /d' "$source/addon.yaml" >"$part/config.yaml"
sed '/\*\*not published yet\*\*/,$d' "$source/kinfolk/README.md" >"$part/README.md"
# The Supervisor names no stage: the last one is built.
sed "s/^ARG ACCELERATOR=cpu$/ARG ACCELERATOR=$accelerator/" "$source/Dockerfile" >"$part/Dockerfile"
printf '\nFROM addon AS local\n' >>"$part/Dockerfile"

if [ "$accelerator" = rocm ]; then
  sed -e 's/^name: Kinfolk$/name: Kinfolk with ROCm/' -e "s/^slug: kinfolk$/slug: $slug/" \
    -e '/^  - aarch64$/d' "$part/config.yaml" >"$part/manifest"
  cat "$source/deploy/addon-rocm.yaml" >>"$part/manifest"
  mv "$part/manifest" "$part/config.yaml"
  sed -e "s/^profile kinfolk /profile $slug /" -e 's|^  /dev/null rw,$|&\
  /dev/kfd rw,\
  /dev/dri/ r,\
  /dev/dri/** rw,\
  /opt/rocm*/** mrix,|' "$source/kinfolk/apparmor.txt" >"$part/apparmor.txt"
fi

rm -rf "$folder"
mv "$part" "$folder"
echo "$folder is written. Settings, Add-ons, Add-on store, menu, Check for updates: it is among the local add-ons."
