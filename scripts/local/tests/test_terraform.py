"""Running Terraform: where providers come from, what its output means, what a second plan says."""

import json
from pathlib import Path
from typing import Any

import pytest

from millrace_local.engine import Engine
from millrace_local.errors import LocalEngineError
from millrace_local.project import EngineFolder
from millrace_local.terraform import Progress, Terraform, read_allowlist
from millrace_local.terraform.allowlist import is_allowed
from millrace_local.terraform.drift import Change, changes_of
from millrace_local.terraform.events import EventReader
from millrace_local.terraform.inputs import fingerprint
from millrace_local.terraform.program import cli_configuration, find_terraform, provider_mirror
from millrace_local.terraform.runner import read_outputs
from millrace_local.testing import Deployed

HOST = "registry.terraform.io"

# Built into Terraform: no provider is started, so a run takes a second.
TINY = """
terraform {
  backend "local" {}
}
variable "name" { type = string }
resource "terraform_data" "this" {
  input = var.name
  lifecycle {
    precondition {
      condition     = var.name != "bad"
      error_message = "This name is not allowed."
    }
  }
}
output "name" { value = terraform_data.this.output }
"""
CHANGING = 'resource "terraform_data" "changing" { input = timestamp() }\n'


def mirror(folder: Path) -> Path:
    (folder / HOST).mkdir(parents=True)
    return folder


def test_the_named_mirror_comes_first(tmp_path: Path) -> None:
    """TF_PLUGIN_MIRROR wins over everything that is found."""
    given, add_ons = mirror(tmp_path / "given"), tmp_path / "add-ons"
    mirror(add_ons / "other")
    assert provider_mirror({"TF_PLUGIN_MIRROR": str(given)}, add_ons) == given


def test_a_named_mirror_that_is_none_is_refused(tmp_path: Path) -> None:
    """A mistyped TF_PLUGIN_MIRROR does not end up at the registry in silence."""
    with pytest.raises(LocalEngineError, match=r"TF_PLUGIN_MIRROR=.* holds no registry"):
        provider_mirror({"TF_PLUGIN_MIRROR": str(tmp_path)}, tmp_path)


def test_terraforms_own_folders_are_left_to_it(tmp_path: Path) -> None:
    """With an implied mirror in place nothing is configured."""
    mirror(tmp_path / ".terraform.d" / "plugins")
    mirror(tmp_path / "add-ons" / "other")
    assert provider_mirror({"HOME": str(tmp_path)}, tmp_path / "add-ons") is None


def test_a_mirror_among_the_add_on_software_is_found(tmp_path: Path) -> None:
    """A folder of providers directly below the add-on software's is used, any other is not."""
    source = {"HOME": str(tmp_path), "XDG_DATA_DIRS": str(tmp_path)}
    assert provider_mirror(source, tmp_path / "add-ons") is None
    found = mirror(tmp_path / "add-ons" / "plugins")
    assert provider_mirror(source, tmp_path / "add-ons") == found


def test_with_a_mirror_the_registry_is_not_asked(tmp_path: Path) -> None:
    """The registry's providers come from the mirror only; without one, through a shared cache."""
    assert "exclude" in cli_configuration(tmp_path, tmp_path)
    assert "plugin_cache_dir" in cli_configuration(None, tmp_path)


def test_a_missing_terraform_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what is missing and where to find it."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LocalEngineError, match=r"terraform is missing: install 1\.11 or later"):
        find_terraform()


def test_an_old_terraform_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version below the minimum is named before anything is applied."""
    program = tmp_path / "terraform"
    program.write_text('#!/bin/sh\necho \'{"terraform_version": "1.9.8"}\'\n')
    program.chmod(0o755)
    monkeypatch.setenv("TERRAFORM", str(program))
    with pytest.raises(LocalEngineError, match=r"terraform 1\.9\.8 is too old"):
        find_terraform()


def test_progress_counts_resources_against_the_plan() -> None:
    """Each finished resource is one of as many as the plan changes."""
    reader = EventReader()
    summary = {"add": 1, "change": 1, "remove": 0, "operation": "plan"}
    reader.read(json.dumps({"type": "change_summary", "changes": summary}))
    hook = {"resource": {"addr": "a.b"}, "action": "create", "elapsed_seconds": 3}
    progress = reader.read(json.dumps({"type": "apply_complete", "hook": hook}))
    assert progress == Progress(1, 2, "a.b", "create", 3)


def test_errors_keep_terraforms_words_and_place() -> None:
    """What Terraform says went wrong is what the user reads; warnings and noise are not errors."""
    reader = EventReader()
    diagnostic = {
        "severity": "error",
        "summary": "Invalid value",
        "detail": "must be\n positive",
        "range": {"filename": "main.tf", "start": {"line": 3}},
    }
    reader.read("not json")
    reader.read(json.dumps({"type": "diagnostic", "diagnostic": {"severity": "warning"}}))
    reader.read(json.dumps({"type": "diagnostic", "diagnostic": diagnostic}))
    assert reader.errors == ["main.tf:3: Invalid value must be positive"]


def plan_of(actions: list[str], **change: Any) -> dict[str, Any]:
    resource = {"address": "a.b", "type": "a", "change": {"actions": actions, **change}}
    return {"resource_changes": [resource]}


def test_drift_names_the_attributes_that_change() -> None:
    """Only what differs, or is not known yet, is drift."""
    plan = plan_of(
        ["update"],
        before={"same": 1, "tags": None},
        after={"same": 1, "tags": {}},
        after_unknown={"arn": True},
    )
    assert [str(change) for change in changes_of(plan)] == ["a.b: arn", "a.b: tags"]


@pytest.mark.parametrize("actions", [["no-op"], ["read"]])
def test_what_stays_is_no_drift(actions: list[str]) -> None:
    """Unchanged resources and data sources are not reported."""
    assert list(changes_of(plan_of(actions))) == []


def test_a_replaced_resource_and_an_output_are_drift() -> None:
    """A replacement is reported as such, and so is a changed output."""
    plan = plan_of(["delete", "create"]) | {"output_changes": {"o": {"actions": ["update"]}}}
    found = [str(change) for change in changes_of(plan)]
    assert found == ["a.b: delete+create", "output.o: update"]


def test_the_allowlist_is_by_type_and_attribute(tmp_path: Path) -> None:
    """An allowed attribute excuses no other of the same resource; a line may say why."""
    path = tmp_path / "list.txt"
    path.write_text("# heading\n\naws_x.tags  # not kept\n")
    allowed = read_allowlist(path)
    assert is_allowed(Change("aws_x.this", "aws_x", "tags"), allowed)
    assert not is_allowed(Change("aws_x.this", "aws_x", "name"), allowed)
    assert not is_allowed(Change("aws_y.this", "aws_y", "tags"), allowed)


def test_nothing_deployed_is_said(tmp_path: Path) -> None:
    """Asking for outputs before an apply names the remedy."""
    blank = Engine(EngineFolder(tmp_path, "e"), 1, 1, 1, "")
    with pytest.raises(LocalEngineError, match="nothing is deployed on engine e"):
        read_outputs(blank)


@pytest.mark.engine
def test_a_configuration_is_applied_once(engine: Engine, tmp_path: Path) -> None:
    """Applied with progress, skipped while nothing changed; all of its state is the engine's."""
    (tmp_path / "main.tf").write_text(TINY)
    terraform = Terraform(engine, tmp_path)
    seen: list[Progress] = []
    first = terraform.apply({"name": "one"}, seen.append)
    assert (first.outputs, first.was_applied) == ({"name": "one"}, True)
    assert [(p.done, p.total, p.address) for p in seen] == [(1, 1, "terraform_data.this")]
    assert read_outputs(engine) == {"name": "one"}
    assert [path.name for path in tmp_path.iterdir()] == ["main.tf"]
    assert terraform.plan_drift() == []
    assert not terraform.apply({"name": "one"}).was_applied
    assert terraform.apply({"name": "two"}).outputs == {"name": "two"}


@pytest.mark.engine
def test_what_a_second_plan_would_change_is_named(engine: Engine, tmp_path: Path) -> None:
    """A configuration that never settles is reported by address and attribute."""
    (tmp_path / "main.tf").write_text(TINY + CHANGING)
    terraform = Terraform(engine, tmp_path)
    terraform.apply({"name": "one"})
    drift = terraform.plan_drift()
    assert drift == ["terraform_data.changing: input", "terraform_data.changing: output"]


@pytest.mark.engine
def test_a_failed_apply_is_told_and_not_remembered(engine: Engine, tmp_path: Path) -> None:
    """Terraform's reason is in the error, and the next apply tries again."""
    (tmp_path / "main.tf").write_text(TINY)
    terraform = Terraform(engine, tmp_path)
    for _ in range(2):
        with pytest.raises(LocalEngineError, match=r"terraform plan failed: .*not allowed"):
            terraform.apply({"name": "bad"})


@pytest.mark.parametrize("changed", ["main.tf", "data.toml", "zips/a.zip", "../metrics.csv"])
def test_a_changed_input_is_noticed(tmp_path: Path, changed: str) -> None:
    """Configuration, data, zips and named files each make the next apply run."""
    configuration = tmp_path / "configuration"
    metrics = tmp_path / "metrics.csv"
    variables = {
        "artifacts_dir": str(configuration / "zips"),
        "metrics_file": str(metrics),
        "long": "x" * 5000,
    }
    (configuration / "zips").mkdir(parents=True)
    metrics.write_text("old")
    before = fingerprint(configuration, variables)
    assert fingerprint(configuration, variables) == before
    (configuration / changed).write_text("new")
    assert fingerprint(configuration, variables) != before
    assert fingerprint(configuration, {}) != before


@pytest.mark.parametrize("name", ["{}/metrics.csv", "../metrics.csv"])
def test_a_file_that_a_variable_names_counts_by_its_content(tmp_path: Path, name: str) -> None:
    """An edited metrics file is applied although its name has not changed."""
    configuration = tmp_path / "configuration"
    configuration.mkdir()
    variables = {"metrics_file": name.format(tmp_path)}
    (tmp_path / "metrics.csv").write_text("old")
    before = fingerprint(configuration, variables)
    (tmp_path / "metrics.csv").write_text("new")
    assert fingerprint(configuration, variables) != before


@pytest.mark.engine
def test_a_second_plan_differs_only_by_the_allowlist(deployed: Deployed) -> None:
    """What Terraform deployed is what it finds, but for what the engine is known not to keep."""
    assert Terraform(deployed.engine).plan_drift() == []
