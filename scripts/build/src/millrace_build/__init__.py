"""Builds, checks and locks what Millrace ships: one reproducible zip a service.

`python -m millrace_build --help` lists the commands; other code calls `build_all`.
"""

from millrace_build.build import Artifact, build_all
from millrace_build.errors import BuildError
from millrace_build.target import Arch, Target
from millrace_build.workspace import Workspace

__all__ = ["Arch", "Artifact", "BuildError", "Target", "Workspace", "build_all"]
