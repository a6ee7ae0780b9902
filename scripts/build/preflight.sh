#!/usr/bin/env bash
# Checks that this machine has what Millrace cannot install itself, and prints the Python to use.
# Whatever is missing is named in one line on stderr, with how to get it; the exit code is then 1.
set -euo pipefail

readonly OLDEST_PYTHON="3.11"
readonly OLDEST_TERRAFORM="1.11"

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

# A Python is usable if it runs (a pyenv shim may not), is new enough and can make environments.
usable_python() {
  "$1" -c '
import sys
import ensurepip, venv
oldest = tuple(map(int, sys.argv[1].split(".")))
sys.exit(sys.version_info[:2] < oldest)
' "$OLDEST_PYTHON" >/dev/null 2>&1
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    if usable_python "$candidate"; then
      # Not a shim's or another environment's path: .venv is made from this, and may be cleared.
      "$candidate" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))'
      return
    fi
  done
  local found="none was found"
  local present="${PYTHON:-python3}"
  if "$present" --version >/dev/null 2>&1; then
    found="$present is $("$present" --version 2>&1)"
  fi
  fail "Python $OLDEST_PYTHON or newer with its venv module is needed ($found): install it from https://www.python.org/downloads/ (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python@3.13), or name one: make PYTHON=/path/to/python3"
}

check_terraform() {
  local remedy="install it from https://developer.hashicorp.com/terraform/install and put it on PATH, or set TERRAFORM to its path"
  local program="${TERRAFORM:-terraform}"
  command -v "$program" >/dev/null || fail "Terraform $OLDEST_TERRAFORM or newer (1.x) is needed and is not on PATH: $remedy"
  local version
  version="$(CHECKPOINT_DISABLE=1 "$program" version 2>/dev/null | sed -n 's/^Terraform v\([0-9.]*\).*/\1/p')"
  local major="${version%%.*}" rest="${version#*.}"
  if [[ "$major" != 1 || "${rest%%.*}" -lt "${OLDEST_TERRAFORM#*.}" ]]; then
    fail "Terraform $OLDEST_TERRAFORM or newer (1.x) is needed, and the one on PATH is ${version:-unknown}: $remedy"
  fi
}

python="$(find_python)"
check_terraform
printf '%s\n' "$python"
