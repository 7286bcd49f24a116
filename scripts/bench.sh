#!/usr/bin/env bash
# `make bench`: every benchmark, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

scripts/setup.sh test
for benchmark in $(grep -l '__main__' benchmarks/*.py); do
  step "$benchmark" "$python" -m "benchmarks.$(basename "$benchmark" .py)"
done
