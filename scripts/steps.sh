# Sourced by the other scripts: say what is done and how long it took, and install missing system packages.
# shellcheck shell=bash

python=.venv/bin/python

say() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }

# Not a terminal: no escape sequences in logs.
[ -t 1 ] || say() { printf '\n==> %s\n' "$*"; }

fail() {
  printf '\nError: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

# step "What is done" command...: runs it and prints how long it took.
step() {
  local title=$1 started=$SECONDS status=0
  shift
  say "$title"
  "$@" || status=$?
  if [ "$status" -ne 0 ]; then
    fail "\"$title\" failed after $((SECONDS - started)) s (exit code $status)"
  fi
  printf '    done in %d s\n' $((SECONDS - started))
}

# Debian and Ubuntu only; as root, or where sudo asks for no password. Anything else is named, not guessed.
install_package() {
  local package=$1 why=$2 root=()
  command -v apt-get >/dev/null || fail "$why" "Please install it with your system's package manager"
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      fail "$why" "Please run: sudo apt-get install -y $package"
    fi
    root=(sudo -n)
  fi
  say "Installing the system package $package ($why)"
  apt_get() { "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >/dev/null; }
  # The lists of packages are often missing on a fresh machine, and often fine otherwise.
  apt_get install -y --no-install-recommends "$package" 2>/dev/null ||
    { apt_get update && apt_get install -y --no-install-recommends "$package"; } ||
    fail "$package could not be installed" "Please run: sudo apt-get install -y $package"
}
