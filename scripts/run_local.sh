#!/usr/bin/env bash
# Runs the whole pipeline on the local engine, with a made-up sample or the events of a file.
# What `make run` takes besides (MAP, TIME_FORMAT, TIME_ZONE, METRICS, PORT) goes by the environment.
set -euo pipefail

usage() {
  printf 'usage: scripts/run_local.sh [EVENTS-FILE]\n' >&2
  exit 2
}

(($# <= 1)) || usage
if (($#)); then
  case "$1" in -*) usage ;; esac
  if [[ ! -f "$1" ]]; then
    printf 'error: there is no file %s\n' "$1" >&2
    usage
  fi
  EVENTS="$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"
  export EVENTS
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec make run
