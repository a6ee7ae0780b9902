#!/usr/bin/env bash
# Makes .tools (pinned uv) and .venv (locked tools, workspace packages), all by hash.
# Usage: setup.sh PYTHON, from anywhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly python="$1"
export UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf 'setup: %s\n' "$1"; }

say "uv, with $("$python" --version)"
"$python" -m venv --clear .tools
.tools/bin/python -m pip install -qq --require-hashes --no-deps --only-binary :all: -r requirements/uv.txt

say "tools and libraries (requirements/dev.txt)"
.tools/bin/uv venv --quiet --clear --no-project --python "$python" .venv
# Compiled now: a test run starts hundreds of processes, and each would compile what it imports.
.tools/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes \
  requirements/dev.txt

say "the workspace's packages"
packages=()
for project in shared/*/pyproject.toml services/*/pyproject.toml scripts/*/pyproject.toml; do
  packages+=(--editable "$(dirname "$project")")
done
.tools/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation "${packages[@]}"
