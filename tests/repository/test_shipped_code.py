"""Rules for the code that ships and for what a service must bring along."""

import ast
import tomllib
from pathlib import Path

_SHIPPED = ("services/*/src/**/*.py", "shared/runtime/src/**/*.py", "scripts/*/src/**/*.py")


def test_no_assert_in_shipped_code(root: Path, files: tuple[Path, ...]) -> None:
    """Shipped code raises named errors: `assert` vanishes under -O and names no remedy."""
    found = [
        f"{path}:{node.lineno}"
        for path in _matching(files, _SHIPPED)
        for node in ast.walk(ast.parse((root / path).read_text("utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert not found


def test_every_service_is_complete(root: Path) -> None:
    """A service has a README, locked requirements, tests and a typed package with a handler."""
    missing = [
        f"{service.name}: {wanted}"
        for service in sorted((root / "services").iterdir())
        if (service / "pyproject.toml").is_file()
        for wanted in (
            "README.md",
            "requirements.txt",
            "tests/test_*.py",
            f"src/{service.name}/py.typed",
            f"src/{service.name}/handler.py",
        )
        if not list(service.glob(wanted))
    ]
    assert not missing


def test_every_package_has_tests(root: Path) -> None:
    """Each workspace package has at least one test of its own."""
    without = [
        str(project.parent.relative_to(root))
        for folder in ("shared", "services", "scripts")
        for project in sorted((root / folder).glob("*/pyproject.toml"))
        if not list(project.parent.glob("tests/**/test_*.py"))
    ]
    assert not without


def test_every_terraform_module_has_tests(root: Path) -> None:
    """Each Terraform module has a `.tftest.hcl`."""
    without = [
        module.name
        for module in sorted((root / "terraform" / "modules").iterdir())
        if list(module.glob("*.tf")) and not list(module.glob("**/*.tftest.hcl"))
    ]
    assert not without


def test_an_environment_is_small(root: Path) -> None:
    """The main file of an environment is a provider, a backend and one module call."""
    sizes = {
        main.parent.name: len(main.read_text("utf-8").splitlines())
        for main in (root / "terraform" / "envs").glob("*/main.tf")
    }
    assert sizes
    assert all(lines <= 40 for lines in sizes.values()), sizes


def test_packages_agree_on_the_build_backend(root: Path) -> None:
    """Every package builds with the one backend version that the development group locks."""
    workspace = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    pinned = [pin for pin in workspace["dependency-groups"]["dev"] if pin.startswith("hatchling")]
    different = [
        str(path.relative_to(root))
        for folder in ("shared", "services", "scripts")
        for path in (root / folder).glob("*/pyproject.toml")
        if tomllib.loads(path.read_text("utf-8"))["build-system"]["requires"] != pinned
    ]
    assert not different


def _matching(files: tuple[Path, ...], patterns: tuple[str, ...]) -> list[Path]:
    """Return the Python files below the `src` folders that the patterns name."""
    prefixes = [pattern.partition("/**")[0] for pattern in patterns]
    return [
        path
        for path in files
        if path.suffix == ".py"
        and any(parent.match(prefix) for parent in path.parents for prefix in prefixes)
    ]
