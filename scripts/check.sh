#!/usr/bin/env bash
# `make check`: everything that is wrong without running the code.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

scripts/setup.sh test
step "Linting (ruff)" "$python" -m ruff check .
step "Checking the format (ruff)" "$python" -m ruff format --check .
step "Checking the types (mypy)" "$python" -m mypy
step "Checking the layers (import-linter)" .venv/bin/lint-imports
step "Linting the Dockerfile (hadolint)" .venv/bin/hadolint Dockerfile
