"""The two sources of the configuration page are read as they are written."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from millrace.settings import FunctionSettings
from millrace_docs.errors import DocsError
from millrace_docs.hcl import read_blocks
from millrace_docs.markdown import code, table
from millrace_docs.settings import Setting, settings_of
from millrace_docs.terraform import (
    Variable,
    read_composition,
    read_environment,
    read_function_settings,
    read_variables,
    variable_behind,
)


class ExampleSettings(FunctionSettings):
    """Two fields for the tests."""

    mode: Literal["fast", "safe"]
    """How it is
    done."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.5


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


def test_a_model_says_its_settings():
    """Names, types, defaults, bounds and docstrings come from the model; the common ones last."""
    assert settings_of(ExampleSettings)[:2] == (
        Setting("MODE", "fast | safe", None, "", "How it is done."),
        Setting("SHARE", "float", "0.5", "> 0, ≤ 1", ""),
    )
    common = [name.upper() for name in FunctionSettings.model_fields]
    assert [each.name for each in settings_of(ExampleSettings)][2:] == common


def test_a_variable_is_read_as_it_is_written(tmp_path):
    """Types of several lines keep their form; strings lose quotes and escapes."""
    file = written(
        tmp_path,
        "variables.tf",
        'variable "size" {\n'
        '  description = "How \\"big\\" ${each}."\n'
        "  type = object({\n"
        "    # the smallest\n"
        "    least = optional(number, 1)\n"
        "  })\n"
        "  default = {}\n"
        "  validation {\n"
        "    condition     = var.size.least > 0\n"
        '    error_message = "Not that small."\n'
        "  }\n"
        "}\n",
    )
    of_type = "object({\n  # the smallest\n  least = optional(number, 1)\n})"
    (size,) = read_variables(file)
    assert size == Variable("size", of_type, "{}", 'How "big" ${each}.', ("Not that small.",))
    assert size.defaults() == {"size": "{}", "size.least": "1"}


def composition(folder: Path, size: str, rules: str = "") -> tuple[Variable, ...]:
    """One variable of a composition, given to one module by `size`."""
    for name in ("inner", "outer"):
        (folder / name).mkdir()
    described = '  description = "Size."\n'
    rule = '  validation {\n    error_message = "Not so small."\n  }\n'
    inner = f'variable "least" {{\n{described}  type = number\n{rule}}}\n'
    written(folder / "inner", "variables.tf", inner)
    written(folder / "outer", "variables.tf", "")
    kind = "object({\n    least = optional(number)\n  })"
    text = f'variable "size" {{\n{described}  type = {kind}\n{rules}}}\n'
    written(folder / "outer", "variables_size.tf", text)
    call = f'module "one" {{\n  source = "../inner"\n  least = {size}\n}}\n'
    written(folder / "outer", "main.tf", call)
    return read_composition(folder / "outer")


@pytest.mark.parametrize(
    ("given", "whole"),
    [("var.size.least", False), ("var.size[each.key].least", False), ("var.size", True)],
)
def test_a_variable_takes_on_the_rules_of_the_module_that_owns_it(tmp_path, given, whole):
    """Handed on as it is, whole or by attribute, it is judged by the module's variable too."""
    own = '  validation {\n    error_message = "Not so odd."\n  }\n'
    (size,) = composition(tmp_path, given, own)
    assert size.accepted() == ("Not so odd.", "Not so small.")
    assert bool(size.filled_in_by()) is whole


def test_what_is_computed_from_a_variable_has_no_owner(tmp_path):
    """A module's rule about twice a value says nothing about the value."""
    (size,) = composition(tmp_path, "2 * var.size.least")
    assert (size.accepted(), size.filled_in_by()) == ((), None)


def test_a_variable_without_description_is_refused(tmp_path):
    """The error names the file, the variable and what to add."""
    file = written(tmp_path, "variables.tf", 'variable "size" {\n  type = number\n}\n')
    with pytest.raises(DocsError, match="variable size has no description: add it"):
        read_variables(file)


def test_functions_get_the_common_settings_and_their_own(tmp_path):
    """The environment of a function is read from the locals, wherever they stand in the file."""
    file = written(
        tmp_path,
        "functions.tf",
        "locals {\n  common_settings = { LOG_LEVEL = var.log_level }\n}\n"
        "locals {\n  functions = {\n    one = {\n      settings = {\n"
        '        URL = module.queues["one"].url\n      }\n    }\n  }\n}\n',
    )
    assert read_function_settings(file) == {
        "one": {"LOG_LEVEL": "var.log_level", "URL": 'module.queues["one"].url'}
    }
    with pytest.raises(DocsError, match="has no local"):
        read_function_settings(written(tmp_path, "other.tf", "locals {\n  a = 1\n}\n"))


def test_an_environment_is_its_variables_and_one_call(tmp_path):
    """What a root passes to the pipeline is read; a root without that call is refused."""
    written(tmp_path, "variables.tf", "")
    written(tmp_path, "main.tf", 'module "pipeline" {\n  source = "x"\n  region = "r"\n}\n')
    assert read_environment(tmp_path).arguments == {"region": '"r"'}
    written(tmp_path, "main.tf", 'module "other" {\n  source = "x"\n}\n')
    with pytest.raises(DocsError, match="calls no module pipeline"):
        read_environment(tmp_path)


def test_what_is_no_hcl_is_refused(tmp_path):
    """A file that does not parse is named."""
    with pytest.raises(DocsError, match=r"cannot read .*bad\.tf"):
        read_blocks(written(tmp_path, "bad.tf", "variable {{\n"))


@pytest.mark.parametrize(
    ("expression", "variable"),
    [
        ("var.a_b", "a_b"),
        ("tostring(var.a1)", "a1"),
        ("var.a + 1", None),
        ("local.a", None),
        ("jsonencode(var.a.b)", "a.b"),
        ("var.a[0]", None),
    ],
)
def test_only_an_unchanged_variable_counts_as_its_setter(expression, variable):
    """What is computed from a variable is not what the variable says."""
    assert variable_behind(expression) == variable


def test_a_cell_cannot_break_its_table():
    """Bars, line ends and tags in a cell stay in it; code stays as it is."""
    row = table(["head"], [["a|b\nc <d> " + code("<e>")]]).splitlines()[-1]
    assert row == "| a\\|b c &lt;d> `<e>` |"
