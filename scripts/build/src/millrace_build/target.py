"""Which interpreter and platform a zip is for."""

import sys
import sysconfig
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

LAMBDA_PYTHON = "3.13"


class Arch(StrEnum):
    """Lambda's two instruction sets, by Lambda's names."""

    X86_64 = "x86_64"
    ARM64 = "arm64"

    @property
    def machine(self) -> str:
        """The name that wheels and shared objects give it."""
        return "aarch64" if self is Arch.ARM64 else "x86_64"


@dataclass(frozen=True, slots=True)
class Target:
    """The running interpreter (`arch` is None), or Lambda's Python on one architecture."""

    arch: Arch | None = None

    @property
    def is_local(self) -> bool:
        """Whether the zip is for the interpreter that builds it."""
        return self.arch is None

    @property
    def folder(self) -> Path:
        """Where the zips go, relative to `dist/`."""
        return Path() if self.arch is None else Path(f"lambda-{self.arch}")

    @property
    def identity(self) -> str:
        """What tells one target's wheels from another's: interpreter and platform."""
        if self.arch is None:
            return f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
        return f"lambda-{LAMBDA_PYTHON}-{self.arch}"

    @property
    def uv_options(self) -> tuple[str, ...]:
        """The options that make `uv pip install` choose this target's wheels."""
        if self.arch is None:
            return ()
        platform = f"{self.arch.machine}-manylinux2014"
        return ("--python-platform", platform, "--python-version", LAMBDA_PYTHON)

    def __str__(self) -> str:
        """Return the name that messages give it."""
        return "local" if self.arch is None else f"lambda-{self.arch}"
