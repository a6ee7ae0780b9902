"""A copy of what the generated pages are made from, to break."""

import shutil
from pathlib import Path

import pytest

from millrace_build import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """This checkout's Terraform, documents and list of services, in a folder of its own."""
    here = Workspace.here().root
    for folder in ("terraform", "docs"):
        shutil.copytree(here / folder, tmp_path / folder)
    for project in here.glob("services/*/pyproject.toml"):
        copy = tmp_path / project.relative_to(here)
        copy.parent.mkdir(parents=True)
        shutil.copyfile(project, copy)
    return Workspace(tmp_path)
