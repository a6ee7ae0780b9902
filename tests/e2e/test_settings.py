"""What Terraform tells the deployed functions is what their services read."""

from importlib import import_module

import pytest

from millrace_build import Workspace
from millrace_docs.settings import read_settings, settings_model

pytestmark = pytest.mark.engine


def test_each_function_is_told_what_it_reads_and_nothing_else(pipeline, monkeypatch):
    """The environment of each function has exactly the fields of its settings, all acceptable.

    Strict on purpose: a setting with a default is set as well, so that Terraform shows all there is
    to set and a misspelt name is no silent default.
    """
    functions = pipeline.outputs["functions"]
    settings = read_settings(Workspace.here())
    assert functions.keys() <= settings.keys()
    aws = pipeline.deployed.client("lambda")
    for service, name in functions.items():
        told = aws.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        assert told.keys() == {setting.name for setting in settings[service]}, service
        with monkeypatch.context() as environment:
            for variable, value in told.items():
                environment.setenv(variable, value)
            settings_model(import_module(f"{service}.settings"))()
