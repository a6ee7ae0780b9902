#!/usr/bin/env bash
# Formats the Python and Terraform code.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if (($#)); then
  printf 'usage: scripts/format.sh (it formats everything)\n' >&2
  exit 2
fi
exec make format
