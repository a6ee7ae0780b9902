"""Transactions that meet on an item: refused here as DynamoDB refuses them.

The engine does one request after the other, so it never answers TransactionConflict. DynamoDB
does, to a TransactWriteItems whose items are in another that is under way:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
"""

from collections.abc import Callable
from threading import Event, Lock
from typing import Any

import orjson
from botocore.awsrequest import AWSResponse

from millrace_testing.crash.wire import Wire, answer, operation_of

_DEADLINE_S = 60


class OverlapRefusing(Wire):
    """A wire for the clients of several workers; each attaches its own."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0
        self._under_way: set[str] = set()
        self._guard = Lock()
        self._wanted = False
        self._met = Event()

    def hold_next(self) -> None:
        """Keep the next transaction under way until another has met one and been refused.

        The engine needs less than AWS, and what is over at once meets nothing.
        """
        with self._guard:
            self._wanted = True

    def pass_through(self, request: Any, send: Callable[[Any], AWSResponse]) -> AWSResponse:  # noqa: ANN401
        """Send one request, unless it is a transaction that meets another."""
        if operation_of(request) != "TransactWriteItems":
            return send(request)
        items = [_item(each) for each in orjson.loads(request.body)["TransactItems"]]
        with self._guard:
            met = [item in self._under_way for item in items]
            if any(met):
                self.refused += 1
                self._met.set()
                return _conflict(request, met)
            self._under_way.update(items)
            held, self._wanted = self._wanted, False
            if held:
                self._met.clear()
        try:
            if held and not self._met.wait(_DEADLINE_S):
                raise TimeoutError(f"in {_DEADLINE_S} s no transaction met the one that was held")
            return send(request)
        finally:
            with self._guard:
                self._under_way.difference_update(items)


def _item(transact_item: dict[str, Any]) -> str:
    (operation,) = transact_item.values()
    return orjson.dumps(
        [operation["TableName"], operation["Key"]], option=orjson.OPT_SORT_KEYS
    ).decode()


def _conflict(request: Any, met: list[bool]) -> AWSResponse:  # noqa: ANN401
    codes = ["TransactionConflict" if each else "None" for each in met]
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": f"Transaction cancelled [{', '.join(codes)}]",
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return answer(request, 400, orjson.dumps(body))
