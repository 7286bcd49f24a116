#!/usr/bin/env bash
# Make .venv ready: `setup.sh run` for starting Kinfolk, `setup.sh test` with the tools of the tests, too.
# Does nothing, and needs no network, when nothing changed since the last time.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

supported='import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'

# The newest supported Python; one that can make virtual environments is preferred over a newer one that cannot.
find_python() {
  local candidate fallback=
  for candidate in python3.13 python3.12 python3.11 python3; do
    "$candidate" -c "$supported" 2>/dev/null || continue
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
      echo "$candidate"
      return
    fi
    fallback=${fallback:-$candidate}
  done
  echo "$fallback"
}

# A virtual environment that was copied or moved, or whose Python was upgraded away, is of no use.
usable_venv() {
  [ -x "$python" ] && grep -qF "$PWD/.venv" .venv/bin/activate 2>/dev/null &&
    "$python" -c "$supported" 2>/dev/null && "$python" -m pip --version >/dev/null 2>&1
}

make_venv() {
  local found
  found=$(find_python)
  if [ -z "$found" ]; then
    install_package python3-venv "Python 3.11, 3.12 or 3.13 is needed"
  elif ! "$found" -c 'import ensurepip, venv' 2>/dev/null; then
    install_package "$(venv_package "$found")" "Python's venv module is missing"
  fi
  found=$(find_python)
  [ -n "$found" ] || fail "This system has no Python 3.11, 3.12 or 3.13" "Please install one of them"
  step "Creating the virtual environment .venv with $("$found" --version)" "$found" -m venv --clear .venv
}

# The system's own Python belongs to python3-venv; others have a package of their own.
venv_package() {
  local version
  version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if [ "$(/usr/bin/python3 -c "$supported; print()" 2>/dev/null && /usr/bin/python3 -V)" = "$("$1" -V)" ]; then
    echo python3-venv
  else
    echo "python$version-venv"
  fi
}

# install STAMP TITLE FILE...: the locked requirements, unless the stamp says that exactly these are installed.
install_locked() {
  local stamp=.venv/$1 title=$2 key arguments=() file
  shift 2
  key=$(cat "$@" pyproject.toml | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null)" != "$key" ] || return 0
  rm -f "$stamp"
  for file in "$@"; do arguments+=(--requirement "$file"); done
  step "$title" pip_install --require-hashes "${arguments[@]}"
  step "Installing Kinfolk itself into .venv" pip_install --no-build-isolation --editable .
  echo "$key" >"$stamp"
}

# Every version and hash is in the lock file, so pip has nothing to resolve. Quiet in logs, with bars in a terminal.
pip_install() {
  local quiet=()
  [ -t 1 ] || quiet=(--quiet)
  "$python" -m pip install --disable-pip-version-check --no-input "${quiet[@]}" --no-deps "$@"
}

usable_venv || make_venv
case ${1:-run} in
run)
  # What the tests need includes what a run needs.
  [ "$(cat .venv/.kinfolk-test 2>/dev/null)" = "$(cat requirements-dev.lock pyproject.toml | sha256sum)" ] ||
    install_locked .kinfolk-run "Installing the locked dependencies (some hundred megabytes the first time)" \
      requirements.lock requirements-build.lock
  ;;
test)
  install_locked .kinfolk-test "Installing the locked dependencies and the tools of the tests (some hundred megabytes the first time)" \
    requirements-dev.lock
  ;;
*) fail "usage: scripts/setup.sh run|test" ;;
esac
