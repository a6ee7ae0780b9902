"""The page `docs/configuration.md`: every setting, every variable, and how they hang together."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from millrace_build import Workspace
from millrace_docs.agreement import disagreements
from millrace_docs.errors import DocsError
from millrace_docs.markdown import block, code, table
from millrace_docs.settings import Setting, read_settings
from millrace_docs.terraform import (
    Environment,
    Owner,
    Variable,
    read_composition,
    read_environment,
    read_function_settings,
    variable_behind,
)

PAGE = Path("docs/configuration.md")
_INTRODUCTION = """\
# Configuration

<!-- Written by `make docs` from the sources named below: change those, not this page. -->

A value takes one way: an environment (`terraform/envs`) hands variables to the composition
(`terraform/modules/pipeline`), which gives each function its environment, which the service reads
once, at its cold start, into a settings model (`services/*/src/*/settings.py`). What is missing or
out of bounds fails every invocation with an error that names it; Terraform refuses most of it
before that.

Terraform sets every setting of every function, and nothing that no setting reads. A default in a
model is for tests and tools, and equals the default of the Terraform variable that sets it.
"""


def configuration_page(workspace: Workspace) -> str:
    """Return the page as the sources are now.

    Raises: DocsError: settings and Terraform disagree, or one of them cannot be read.
    """
    pipeline = workspace.root / "terraform" / "modules" / "pipeline"
    settings = read_settings(workspace)
    given = read_function_settings(pipeline / "functions.tf")
    variables = read_composition(pipeline)
    if faults := disagreements(settings, given, variables):
        raise DocsError("settings and Terraform disagree:\n" + "\n".join(faults))
    folders = sorted(main.parent for main in workspace.root.glob("terraform/envs/*/main.tf"))
    return "\n".join(
        [
            _INTRODUCTION,
            "## Settings of the functions\n",
            *(_service(name, settings[name], given[name]) for name in given),
            *(
                _service(name, settings[name], {})
                for name in sorted(settings.keys() - given.keys())
            ),
            "## Variables of the pipeline\n",
            _variables(variables),
            "## Environments\n",
            *(_environment(read_environment(folder)) for folder in folders),
        ]
    )


def _service(name: str, settings: Sequence[Setting], given: dict[str, str]) -> str:
    head = ("variable", "type", "default", "bounds", "set by", "meaning")
    rows = (
        (
            code(each.name),
            each.type,
            code(each.default or ""),
            each.bounds,
            _setter(given[each.name]) if given else "",
            each.description,
        )
        for each in settings
    )
    lead = "" if given else "Terraform does not deploy this service yet.\n\n"
    return f"### {name}\n\n{lead}{table(head, rows)}\n"


def _setter(expression: str) -> str:
    variable = variable_behind(expression)
    return f"variable {code(variable)}" if variable else f"computed: {code(expression)}"


def _variables(variables: Sequence[Variable]) -> str:
    """Return a table of all variables, and below it the types that are too long for a cell."""
    head = ("variable", "type", "default", "meaning", "accepted")
    rows = (
        (
            code(each.name),
            "below" if _is_long(each) else code(each.type),
            "required" if each.default is None else _default(each),
            each.description,
            " ".join(each.accepted()),
        )
        for each in variables
    )
    return "\n".join([table(head, rows), "", *_long_types(variables)])


def _default(variable: Variable) -> str:
    return "below" if "\n" in (variable.default or "") else code(variable.default or "")


def _long_types(variables: Sequence[Variable]) -> Iterator[str]:
    for each in filter(_is_long, variables):
        yield f"### {each.name}\n"
        default = f"\ndefault = {each.default}" if "\n" in (each.default or "") else ""
        yield block(f"type = {each.type}{default}", "hcl") + "\n"
        if owner := each.filled_in_by():
            yield _filled_in(owner)


def _filled_in(owner: Owner) -> str:
    """Return the defaults that a variable leaves to the module it is handed to, and their sense."""
    place = code(f"terraform/modules/{owner.module}")
    lead = f"{place} has the defaults (`{owner.variable.name}`). {owner.variable.description}"
    return f"{lead}\n\n{block(f'type = {owner.variable.type}', 'hcl')}\n"


def _is_long(variable: Variable) -> bool:
    return "\n" in variable.type


def _environment(environment: Environment) -> str:
    """Return an environment's own variables, and what it fixes for the pipeline."""
    head = ("variable", "type", "default", "meaning", "accepted")
    own = (
        (
            code(each.name),
            code(each.type),
            "required" if each.default is None else code(each.default),
            each.description,
            " ".join(each.refusals),
        )
        for each in environment.variables
    )
    fixed = (
        (code(name), code(text))
        for name, text in environment.arguments.items()
        if variable_behind(text) != name
    )
    return (
        f"### {environment.name}\n\n{table(head, own)}\n\n"
        f"Other than the defaults of the pipeline:\n\n{table(('variable', 'here'), fixed)}\n"
    )
