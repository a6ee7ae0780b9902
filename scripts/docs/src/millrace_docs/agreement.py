"""The rule between the two sides: Terraform sets what a function reads, all of it, nothing else."""

from collections.abc import Iterator, Mapping, Sequence

from millrace_docs.settings import Setting
from millrace_docs.terraform import Variable, variable_behind

Settings = Mapping[str, Sequence[Setting]]
"""What each service reads."""
Given = Mapping[str, Mapping[str, str]]
"""What Terraform gives each function, as expressions."""


def disagreements(settings: Settings, given: Given, variables: Sequence[Variable]) -> list[str]:
    """Return each breach of the rule, with its remedy.

    A function is a service (one that is not deployed is no breach); its settings are what Terraform
    gives it, name by name; a default that a Terraform variable overrides is the same on both sides;
    each setting is explained.
    """
    faults = [
        f"{function}: no service is called so: remove it from local.functions in "
        "terraform/modules/pipeline/functions.tf, or add services/" + function
        for function in sorted(given.keys() - settings.keys())
    ]
    defaults = {name: text for each in variables for name, text in each.defaults().items()}
    for service in sorted(settings.keys() & given.keys()):
        faults += _of_service(service, settings[service], given[service], defaults)
    return faults


def _of_service(
    service: str,
    settings: Sequence[Setting],
    given: Mapping[str, str],
    defaults: Mapping[str, str],
) -> Iterator[str]:
    known = {setting.name for setting in settings}
    for name in sorted(given.keys() - known):
        yield f"{service}: no setting reads {name}: remove it from terraform/modules/pipeline"
    for setting in settings:
        if not setting.description:
            yield f"{service}: {setting.name} is not explained: give its field a docstring"
        if setting.name not in given:
            yield f"{service}: {setting.name} is not set: add it to the function in functions.tf"
            continue
        variable = variable_behind(given[setting.name])
        if setting.default is None or variable is None:
            continue
        default = defaults.get(variable, "").strip('"')
        if default != setting.default:
            yield (
                f"{service}: {setting.name} is {setting.default} by default, the variable "
                f"{variable} is {default or 'required'}: make them equal"
            )
