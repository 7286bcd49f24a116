#!/bin/bash
# Whether Kinfolk answers. Bash alone, so that asking every minute costs nothing.
set -euo pipefail
port=${APP_PORT:-${KINFOLK_WEB__PORT:-8099}}
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
read -r -t 4 status <&3
case $status in
  *" 200 "*) ;;
  *) echo "Kinfolk answered: $status"; exit 1 ;;
esac
