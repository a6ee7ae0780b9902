#!/usr/bin/env bash
# Deploys an environment to AWS; what else it takes goes by the environment, as for `make deploy`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

environments() {
  local folder
  for folder in terraform/envs/*/; do
    folder="$(basename "$folder")"
    [[ "$folder" == local ]] || printf ' %s' "$folder"
  done
}

if (($# != 1)); then
  printf 'usage: scripts/deploy.sh ENVIRONMENT (one of:%s)\n' "$(environments)" >&2
  exit 2
fi
if [[ ! "$1" =~ ^[a-z][a-z0-9-]*$ || "$1" == local || ! -d "terraform/envs/$1" ]]; then
  printf 'error: there is no environment %s to deploy; there are:%s\n' "$1" "$(environments)" >&2
  exit 2
fi
exec make deploy ENV="$1"
