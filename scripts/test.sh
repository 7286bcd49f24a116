#!/usr/bin/env bash
# `make test`: the checks, then every test, on two processors.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

find_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

find_mosquitto() { PATH="$PATH:/usr/sbin" command -v mosquitto; }

scripts/setup.sh test
find_chromium >/dev/null || install_package chromium "The tests drive the pages in a real browser"
find_mosquitto >/dev/null || install_package mosquitto "The tests talk to a real MQTT broker, one of their own"
scripts/check.sh
step "Running the tests" "$python" -m pytest -n 2 --dist loadfile --durations=25 "$@"
say "All is well; it took $SECONDS s"
