"""The repository as the tools see it: its services, packages and folders."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from millrace_build.errors import BuildError

_PACKAGE_FOLDERS = ("shared", "services", "scripts")


@dataclass(frozen=True, slots=True)
class Workspace:
    """A checkout, named by its root folder."""

    root: Path

    @classmethod
    def here(cls) -> "Workspace":
        """Return the checkout that this package is installed from (it is always editable)."""
        return cls(Path(__file__).resolve().parents[4])

    @property
    def dist(self) -> Path:
        """Where the zips go."""
        return self.root / "dist"

    @property
    def state(self) -> Path:
        """Git-ignored folder for what the tools keep between calls."""
        return self.root / ".millrace"

    @property
    def runtime(self) -> Path:
        """The shared runtime package, a part of every zip."""
        return self.root / "shared" / "runtime"

    def service(self, name: str) -> Path:
        """Return a service's folder.

        Raises: BuildError: there is no such service.
        """
        if name not in self.services():
            known = ", ".join(self.services())
            raise BuildError(f"no service {name!r}: choose one of {known}")
        return self.root / "services" / name

    def services(self) -> tuple[str, ...]:
        """Return the names of the services, sorted."""
        return tuple(
            sorted(path.parent.name for path in self.root.glob("services/*/pyproject.toml"))
        )

    def projects(self) -> tuple[Path, ...]:
        """Return the `pyproject.toml` of every workspace package, sorted."""
        return tuple(
            sorted(
                path
                for folder in _PACKAGE_FOLDERS
                for path in self.root.glob(f"{folder}/*/pyproject.toml")
            )
        )

    def package_names(self) -> tuple[str, ...]:
        """Return the distribution name of every workspace package, sorted."""
        return tuple(sorted(project_name(path) for path in self.projects()))


def project_name(pyproject: Path) -> str:
    """Return the distribution name that a `pyproject.toml` declares."""
    name = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["name"]
    if not isinstance(name, str):
        raise BuildError(f"{pyproject}: project.name must be a string")
    return name
