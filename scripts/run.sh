#!/usr/bin/env bash
# `make run [PHOTOS=/path/to/photos]`: set up, fetch the models, add the photos, start.
set -euo pipefail
called_from=$PWD
cd "$(dirname "$0")/.."
. scripts/steps.sh

photos=${PHOTOS:-}
photos=${photos/#\~\//$HOME/} # a shell other than bash leaves the ~ in PHOTOS=~/Pictures
case $photos in '' | /*) ;; *) photos=$called_from/$photos ;; esac
[ -z "$photos" ] || [ -d "$photos" ] || fail "There is no folder $photos" "Use: make run PHOTOS=/path/to/photos"

KINFOLK_DATA=${KINFOLK_DATA:-$PWD/data}
case $KINFOLK_DATA in /*) ;; *) KINFOLK_DATA=$called_from/$KINFOLK_DATA ;; esac
export KINFOLK_DATA
kinfolk() { "$python" -m plugin "$@"; }

scripts/setup.sh run
if [ -z "$photos" ]; then
  photos=$KINFOLK_DATA/sample-album
  step "Fetching the sample album (use PHOTOS=/path/to/photos for your own)" kinfolk sample "$photos"
fi
step "Making sure the face models are here" kinfolk models pull
step "Adding the library" kinfolk library add folder "$photos"
say "Starting Kinfolk on the data folder $KINFOLK_DATA"
exec "$python" -m plugin serve
