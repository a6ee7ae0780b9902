"""Runbooks: a page for each alarm, and commands that run as they stand."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from markdown_shell import commands, script

from millrace_build import Workspace
from millrace_build.venvs import ensure_venv

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

PAGES = Workspace.here().root / "docs/runbooks"
_SECTIONS = ["Meaning", "Impact", "Check", "Fix"]
_RUNBOOK = re.compile(r"Runbook: (docs/runbooks/[a-z-]+\.md)\. First: `([^`]+)`$")
_DEADLINE_S = 300


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like the checkout's root, whatever the commands write."""
    for entry in Workspace.here().root.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


def test_every_alarm_has_a_page_that_names_it(pipeline):
    """The description leads to a page that lists the alarm and begins with its first command."""
    cloudwatch = pipeline.deployed.client("cloudwatch")
    prefix = f"{pipeline.outputs['name_prefix']}-"
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
    described = {
        alarm["AlarmName"].removeprefix(prefix): alarm["AlarmDescription"]
        for page in pages
        for alarm in page["MetricAlarms"]
    }
    assert described.keys() == pipeline.outputs["alarms"].keys()
    led_to = set()
    for name, description in described.items():
        found = _RUNBOOK.search(description)
        assert found, description
        page = Workspace.here().root / found[1]
        text = page.read_text("utf-8")
        assert f"`{name}`" in text or f"`{name.split('-')[0]}-" in text, (name, page)
        assert f".venv/bin/{found[2]}" in "".join(commands(text, "runbook")), page
        led_to.add(page.name)
    # The page of the queue that is told of discards serves this alarm too.
    assert led_to == {page.name for page in PAGES.glob("*.md")} - {"README.md"}


@pytest.mark.parametrize("page", sorted(PAGES.glob("[a-z]*.md")), ids=lambda page: page.stem)
def test_a_page_has_its_parts(page):
    """Meaning, impact, check and fix, in this order; the index names the page."""
    text = page.read_text("utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == _SECTIONS
    assert f"]({page.name})" in (PAGES / "README.md").read_text("utf-8")


def test_the_commands_run(pipeline, checkout):
    """Every marked command of every page succeeds on the deployed pipeline, in order."""
    workspace = Workspace.here()
    aws = ensure_venv(workspace, workspace.root / "requirements/aws-cli.txt").parent
    texts = [page.read_text("utf-8") for page in sorted(PAGES.glob("*.md"))]
    ran = subprocess.run(
        ["bash", "-c", script(texts, "runbook")],
        cwd=checkout,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MILLRACE_"))},
            "PATH": f"{aws}:{os.environ['PATH']}",
            "HOME": str(checkout),  # nobody's ~/.aws
            "MILLRACE_ENGINE": pipeline.deployed.engine.name,
        },
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_DEADLINE_S,
    )  # fmt: skip
    assert ran.returncode in (0, 3), ran.stderr[-4000:]
    assert "exit code" not in ran.stderr, ran.stderr[-4000:]
    assert ran.stdout
