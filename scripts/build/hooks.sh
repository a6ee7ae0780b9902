#!/usr/bin/env bash
# Makes Git use the hooks of this checkout, unless it uses others already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly HOOKS=.githooks

if [[ "$(git rev-parse --show-toplevel 2>/dev/null)" != "$(pwd -P)" ]]; then
  printf 'hooks: this is no clone (a copy without Git), so there is nothing to check commits with\n'
  exit 0
fi
current="$(git config --get core.hooksPath || true)"
if [[ -n "$current" && "$current" != "$HOOKS" ]]; then
  printf 'error: Git uses the hooks in %s already: call %s from there, or first run\n' "$current" "$HOOKS" >&2
  printf '  git config --unset core.hooksPath\n' >&2
  exit 1
fi
git config core.hooksPath "$HOOKS"
printf 'hooks: Git uses %s (git config --unset core.hooksPath undoes it)\n' "$HOOKS"
