"""The check of metric definitions: ours and whatever file is to be deployed."""

from pathlib import Path

import pytest

from millrace_build.__main__ import main
from millrace_build.errors import BuildError
from millrace_build.metrics import check_metrics
from millrace_build.workspace import Workspace

GOOD = """
[[metric]]
name = "edits"
kind = "count"
dimensions = ["type"]
windows = ["hour"]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Workspace:
    folder = tmp_path / "terraform" / "metrics"
    folder.mkdir(parents=True)
    (folder / "default.toml").write_text(GOOD, "utf-8")
    return Workspace(tmp_path)


def test_good_files_are_told_by_name(checkout: Workspace, tmp_path: Path) -> None:
    """Those of the repository, and one that is to be deployed."""
    mine = tmp_path / "mine.toml"
    mine.write_text(GOOD + GOOD.replace("edits", "later") + 'mode = "replay"\n', "utf-8")
    found = check_metrics(checkout, [mine])
    assert list(found) == ["terraform/metrics/default.toml", str(mine)]
    assert [len(each.live) for each in found.values()] == [1, 1]


def test_every_fault_names_file_metric_field_and_remedy(
    checkout: Workspace, tmp_path: Path
) -> None:
    """All faulty files at once, ours too, and one that is not there."""
    ours = checkout.root / "terraform" / "metrics" / "local.toml"
    ours.write_text(GOOD.replace('"type"', '"page"'), "utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(GOOD.replace('windows = ["hour"]', ""), "utf-8")
    with pytest.raises(BuildError) as caught:
        check_metrics(checkout, [mine, tmp_path / "none.toml"])
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("terraform/metrics/local.toml: metric edits: dimensions.0: must be")
    assert lines[1].startswith(f"{mine}: metric edits: windows: it is missing: add it")
    assert lines[2].startswith(f"{tmp_path / 'none.toml'}: cannot be read: No such file")


def test_the_repository_s_own_definitions_are_sound(capsys: pytest.CaptureFixture[str]) -> None:
    """The command says which version each file is."""
    assert main(["metrics"]) == 0
    assert "terraform/metrics/default.toml: 5 live metrics, 1 for" in capsys.readouterr().out


def test_a_faulty_file_ends_the_command_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that `make` stops before anything is built or applied."""
    mine = tmp_path / "mine.toml"
    mine.write_text(GOOD.replace('"count"', '"average"'), "utf-8")
    assert main(["metrics", str(mine)]) == 1
    assert "metric edits: kind: must be one of count, sum, unique" in capsys.readouterr().err
