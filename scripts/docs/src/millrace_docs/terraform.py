"""What Terraform says: variables, what it tells functions, what environments set."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from millrace_docs.errors import DocsError
from millrace_docs.hcl import Block, Expression, read_blocks

_VARIABLE = re.compile(r"(?:(?:tostring|jsonencode)\()?var\.([a-z0-9_]+(?:\.[a-z0-9_]+)?)\)?")
_GIVEN = re.compile(r"var\.([a-z0-9_]+)(?:\[each\.key\])?(\.[a-z0-9_]+)?")
# Of an object: an attribute that may be left out, and whose default is another module's.
_LEFT_OPEN = re.compile(r"= optional\(\w+\)$", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^ *(\w+) *= optional\(.+?, (.+)\)$", re.MULTILINE)
_FUNCTIONS = "functions"
_COMMON = "common_settings"


@dataclass(frozen=True, slots=True)
class Variable:
    """An input variable of a module.

    refusals: what its validations answer.
    owners: variables of inner modules that it, or an attribute of it, is given to as it is.
    """

    name: str
    type: str
    default: str | None
    """As written; None of a variable that must be given."""
    description: str
    refusals: tuple[str, ...]
    owners: "tuple[Owner, ...]" = ()

    def accepted(self) -> tuple[str, ...]:
        """Return what is refused and why: by its own rules and, of an object, its owners'."""
        inner = self.owners if self.is_object or not self.refusals else ()
        rules = [*self.refusals, *(rule for each in inner for rule in each.variable.refusals)]
        return tuple(dict.fromkeys(rules))

    def filled_in_by(self) -> "Owner | None":
        """Return who has the defaults of the attributes that it leaves open, if it leaves any."""
        whole = (each for each in self.owners if each.is_whole)
        return next(whole, None) if _LEFT_OPEN.search(self.type) else None

    @property
    def is_object(self) -> bool:
        """Whether it has attributes."""
        return self.type.startswith("object(")

    def defaults(self) -> dict[str, str]:
        """Return the defaults by `variable` or, of an object's attributes, `variable.attribute`."""
        attributes = {f"{self.name}.{name}": value for name, value in _ATTRIBUTE.findall(self.type)}
        return attributes | ({self.name: self.default} if self.default else {})


@dataclass(frozen=True, slots=True)
class Owner:
    """A module's variable that is given another's value. is_whole: all of it, no attribute."""

    module: str
    variable: Variable
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Environment:
    """A root: its own variables, and what it passes to the pipeline, as written."""

    name: str
    variables: tuple[Variable, ...]
    arguments: Mapping[str, str]


def read_variables(path: Path) -> tuple[Variable, ...]:
    """Return the variables of one file in order.

    Raises: DocsError: the file is no HCL, or a variable says neither type nor description.
    """
    return tuple(_variable(block, path) for block in read_blocks(path) if block.type == "variable")


def read_composition(folder: Path) -> tuple[Variable, ...]:
    """Return the variables of a module of modules, with those of its modules that own them.

    They stand in `variables.tf`, which comes first, and by topic in `variables_<topic>.tf`.

    Raises: DocsError: a file is no HCL, or a variable says neither type nor description.
    """
    files = [folder / "variables.tf", *sorted(folder.glob("variables_*.tf"))]
    owners = _owners(folder)
    return tuple(
        replace(each, owners=tuple(owners.get(each.name, ())))
        for file in files
        for each in read_variables(file)
    )


def _owners(folder: Path) -> dict[str, list[Owner]]:
    """Return, by variable of the composition, which modules' variables are given it."""
    found: dict[str, list[Owner]] = {}
    calls = (block for file in sorted(folder.glob("*.tf")) for block in read_blocks(file))
    for call in (block for block in calls if block.type == "module"):
        module = folder / call.attributes["source"].string
        inner = {each.name: each for each in read_variables(module / "variables.tf")}
        for name, value in call.attributes.items():
            given = _GIVEN.fullmatch(value.text)
            if given and name in inner:
                owner = Owner(module.name, inner[name], is_whole=given.group(2) is None)
                found.setdefault(given.group(1), []).append(owner)
    return found


def _variable(block: Block, path: Path) -> Variable:
    (name,) = block.labels
    for required in ("type", "description"):
        if required not in block.attributes:
            raise DocsError(f"{path}: variable {name} has no {required}: add it")
    default = block.attributes.get("default")
    refusals = (inner.attributes for inner in block.blocks if inner.type == "validation")
    return Variable(
        name=name,
        type=block.attributes["type"].text,
        default=default.text if default else None,
        description=block.attributes["description"].string,
        refusals=tuple(each["error_message"].string for each in refusals),
    )


def read_function_settings(path: Path) -> dict[str, dict[str, str]]:
    """Return the environment of each function as expressions: service to variable to text.

    Raises: DocsError: the file does not hold `local.functions` and `local.common_settings`.
    """
    merged: dict[str, Expression] = {}
    for block in read_blocks(path):
        if block.type == "locals":
            merged |= block.attributes
    if not {_FUNCTIONS, _COMMON} <= merged.keys():
        raise DocsError(f"{path} has no local.{_FUNCTIONS} or no local.{_COMMON}: they say all")
    common = _texts(merged[_COMMON])
    return {
        service: common | _texts(function.items["settings"])
        for service, function in merged[_FUNCTIONS].items.items()
    }


def variable_behind(expression: str) -> str | None:
    """Return the variable, or `variable.attribute`, that an expression hands on, else None."""
    found = _VARIABLE.fullmatch(expression)
    return found.group(1) if found else None


def read_environment(folder: Path) -> Environment:
    """Return what the root in `folder` asks for, and what it passes to the pipeline.

    Raises: DocsError: it calls no module `pipeline`.
    """
    calls = [
        block
        for block in read_blocks(folder / "main.tf")
        if block.type == "module" and block.labels == ("pipeline",)
    ]
    if not calls:
        raise DocsError(f"{folder}/main.tf calls no module pipeline: an environment is one call")
    arguments = {name: value.text for name, value in calls[0].attributes.items()}
    del arguments["source"]
    return Environment(folder.name, read_variables(folder / "variables.tf"), arguments)


def _texts(expression: Expression) -> dict[str, str]:
    return {name: value.text for name, value in expression.items.items()}
