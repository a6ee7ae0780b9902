#!/usr/bin/env bash
# Sets up a development environment: tools, packages, git hooks. Nothing to do the second time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if (($#)); then
  printf 'usage: scripts/setup.sh (another Python: PYTHON=/path/to/python3 scripts/setup.sh)\n' >&2
  exit 2
fi
exec make setup hooks
