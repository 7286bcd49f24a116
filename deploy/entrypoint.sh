#!/bin/bash
# The first process of the container: gives up root, where it has it, and becomes `kinfolk "$@"`.
set -euo pipefail

# A command by another name is run as it is, for looking around: docker run ... bash
case ${1:-serve} in
  bash | sh) exec "$@" ;;
esac

# Nextcloud (AppAPI) says where an app may keep its data.
export KINFOLK_DATA=${APP_PERSISTENT_STORAGE:-${KINFOLK_DATA:-/data}}

if [ "$(id -u)" -ne 0 ]; then
  exec kinfolk "$@"
fi

# Home Assistant writes its options as root, and restores backups as root. Only what is not ours yet, and links themselves,
# never where they lead. Not for commands beside a Kinfolk that works (backup_pre): files come and go under its hands.
case ${1:-serve} in
  serve | worker)
    find "$KINFOLK_DATA" -ignore_readdir_race ! -user 8099 -exec chown --no-dereference 8099:8099 {} + ||
      echo "Not every file in $KINFOLK_DATA could be given to Kinfolk" >&2
    ;;
esac

# A graphics card opens for the groups of its devices.
groups=8099
for device in /dev/kfd /dev/dri/renderD*; do
  [ -c "$device" ] || continue
  group=$(stat --format=%g "$device")
  [ "$group" -eq 0 ] || groups=$groups,$group
done

exec setpriv --reuid=8099 --regid=8099 --groups="$groups" --inh-caps=-all --bounding-set=-all --no-new-privs kinfolk "$@"
