"""The check of the Terraform code: every module, its faults by name, nothing left in the tree."""

from collections.abc import Callable
from pathlib import Path

import pytest

from millrace_build.errors import BuildError
from millrace_build.terraform import check_terraform, module_folders
from millrace_build.workspace import Workspace

# Stands for Terraform: notes its calls, and finds fault with the module that the test names.
_FAKE = """
if [ "$1" = version ]; then echo '{"terraform_version": "1.13.0"}'; exit 0; fi
echo "$(basename "$PWD") $1 data=$TF_DATA_DIR config=$TF_CLI_CONFIG_FILE" >> "$LOG"
if [ "$(basename "$PWD") $1" = "$FAULT" ]; then echo "Error: no such argument"; exit 1; fi
echo "Success!"
"""


@pytest.fixture
def checkout(
    tmp_path: Path, machine: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    for module in ("bootstrap", "modules/queue", "modules/table", "envs/local"):
        folder = tmp_path / "terraform" / module
        folder.mkdir(parents=True)
        (folder / "main.tf").touch()
    tests = tmp_path / "terraform/modules/queue/tests"
    tests.mkdir()
    (tests / "queue.tftest.hcl").touch()
    environment = machine("sh", "basename", terraform=_FAKE)
    monkeypatch.setenv("PATH", environment["PATH"])
    monkeypatch.setenv("LOG", str(tmp_path / "calls"))
    return Workspace(tmp_path)


def test_modules_and_environments_are_found(checkout: Workspace) -> None:
    """Every folder of configuration is a module to check; a folder of tests is none."""
    code = checkout.root / "terraform"
    found = [str(path.relative_to(code)) for path in module_folders(code)]
    assert found == ["bootstrap", "envs/local", "modules/queue", "modules/table"]


def test_each_module_is_validated_and_tested(checkout: Workspace, tmp_path: Path) -> None:
    """Format once; init for each module, test where there are tests and validate elsewhere."""
    check_terraform(checkout, tmp_path / "terraform.rc")
    calls = (tmp_path / "calls").read_text("utf-8").splitlines()
    steps = {" ".join(call.split()[:2]) for call in calls}
    assert steps == {
        "terraform fmt",
        *(f"{module} init" for module in ("bootstrap", "queue", "table", "local")),
        *(f"{module} validate" for module in ("bootstrap", "table", "local")),
        "queue test",
    }
    of_modules = [call for call in calls if "fmt" not in call]
    assert all(f"config={tmp_path / 'terraform.rc'}" in call for call in of_modules)
    assert all(f"data={checkout.state}" in call for call in of_modules)


def test_a_fault_names_its_module(
    checkout: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that does not validate fails the check with Terraform's words and its folder."""
    monkeypatch.setenv("FAULT", "table validate")
    with pytest.raises(BuildError, match=r"(?s)validate failed in .*table:.*no such argument"):
        check_terraform(checkout, tmp_path / "terraform.rc")


def test_missing_terraform_is_named(
    checkout: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Terraform the message says how to go on."""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(BuildError, match="terraform is missing: install"):
        check_terraform(checkout, tmp_path / "terraform.rc")
