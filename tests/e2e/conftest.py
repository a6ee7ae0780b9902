"""Fixtures of the end-to-end tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pipeline import Pipeline

from millrace_local.testing import Deployed


@pytest.fixture(scope="session")
def pipeline(deployed: Deployed) -> Pipeline:
    """The deployment of this session."""
    return Pipeline(deployed)


@pytest.fixture
def download(pipeline: Pipeline, tmp_path: Path) -> Callable[[str], Path]:
    """Copy all objects under a prefix of the data bucket to a folder, keys as paths."""

    def copy(prefix: str) -> Path:
        s3 = pipeline.deployed.client("s3")
        bucket = pipeline.outputs["data_bucket"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for found in page.get("Contents", []):
                target = tmp_path / found["Key"]
                target.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, found["Key"], str(target))
        return tmp_path

    return copy
