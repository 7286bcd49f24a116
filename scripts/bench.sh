#!/usr/bin/env bash
# `make bench`: every benchmark, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

scripts/setup.sh test
grep -l '__main__' benchmarks/*.py | while read -r benchmark; do
  step "$benchmark" "$python" -m "benchmarks.$(basename "$benchmark" .py)"
done
