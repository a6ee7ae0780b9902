"""Metric math, as far as an alarm of this project needs it: arithmetic, comparisons, IF and FILL.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
Anything else is refused by name, never guessed at.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

_ARITHMETIC: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Mapping[type[ast.AST], Callable[[float, float], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


class UnknownExpression(Exception):
    """An expression that uses more of metric math than is known here."""


def value_of(expression: str, values: Mapping[str, float | None]) -> float | None:
    """Return what an expression comes to in one period.

    None where a value that counts is missing, or where it divides by zero: such a period has no
    data point.
    Raises: UnknownExpression.
    """
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError as err:
        raise UnknownExpression(f"not understood: {expression}") from err
    try:
        return _value(tree.body, values)
    except ZeroDivisionError:
        return None


def _value(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Name) and node.id in values:
        return values[node.id]
    if isinstance(node, ast.BinOp):
        return _combined(_ARITHMETIC, node.op, node.left, node.right, values)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _combined(_COMPARISONS, node.ops[0], node.left, node.comparators[0], values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        found = _value(node.operand, values)
        return None if found is None else -found
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _called(node.func.id, node.args, values)
    raise UnknownExpression(f"not known here: {ast.unparse(node)}")


def _combined(
    known: Mapping[type[ast.AST], Callable[[float, float], Any]],
    sign: ast.AST,
    left: ast.expr,
    right: ast.expr,
    values: Mapping[str, float | None],
) -> float | None:
    if type(sign) not in known:
        raise UnknownExpression(f"not known here: {type(sign).__name__}")
    first, second = _value(left, values), _value(right, values)
    if first is None or second is None:
        return None
    return float(known[type(sign)](first, second))


def _called(
    name: str, arguments: list[ast.expr], values: Mapping[str, float | None]
) -> float | None:
    if name == "IF" and len(arguments) == 3:
        condition = _value(arguments[0], values)
        if condition is None:
            return None
        return _value(arguments[1] if condition else arguments[2], values)
    if name == "FILL" and len(arguments) == 2:
        found = _value(arguments[0], values)
        return _value(arguments[1], values) if found is None else found
    raise UnknownExpression(f"not known here: {name} of {len(arguments)}")
