"""What a piece of work costs, counted from the wire: requests by operation, capacity consumed."""

from collections import Counter
from collections.abc import Mapping
from threading import Lock
from typing import Any

_READS = ("Get", "BatchGet", "Query", "Scan")


class WireCost:
    """Counts the answered requests of its clients and the capacity that DynamoDB says they took.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html
    """

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.write_units: Counter[str] = Counter()
        """By operation; indexes included."""
        self.read_units: Counter[str] = Counter()
        """By operation; what was asked for and is not there costs what a small item does."""
        self._lock = Lock()

    def attach(self, *clients: Any) -> None:  # noqa: ANN401 - any boto3 client
        """Count what these clients do from now on."""
        for client in clients:
            self.listen(client.meta.events)

    def listen(self, events: Any) -> None:  # noqa: ANN401 - a client's or a session's
        """Count what is done with these events, and by clients that the session makes later."""
        events.register("provide-client-params.dynamodb", _ask_for_capacity)
        events.register("after-call", self._count)

    def _count(self, model: Any, parsed: dict[str, Any], context: Any, **_: object) -> None:  # noqa: ANN401
        answered = parsed.get("ConsumedCapacity", [])
        consumed = answered if isinstance(answered, list) else [answered]
        with self._lock:
            self.requests[model.name] += 1
            if model.name.startswith(_READS):
                units = sum(each.get("CapacityUnits", 0) for each in consumed)
                # The local engine charges nothing for a key without an item; DynamoDB does:
                # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
                self.read_units[model.name] += max(units, context.get("least_read_units", 0))
                return
            for each in consumed:
                units = each.get("WriteCapacityUnits", each.get("CapacityUnits", 0))
                self.write_units[model.name] += units


def _ask_for_capacity(
    params: dict[str, Any],
    context: dict[str, Any],
    **_: object,
) -> dict[str, Any]:
    asked = [params, *params.get("RequestItems", {}).values()]
    context["least_read_units"] = sum(_least_units(each) for each in asked)
    return params | {"ReturnConsumedCapacity": "TOTAL"}


def _least_units(asked: Mapping[str, Any] | list[Any]) -> float:
    """Return what reading the keys costs at least: half a unit each, one if consistent."""
    if not isinstance(asked, Mapping):
        return 0  # the items of a BatchWriteItem
    keys = len(asked.get("Keys", ())) + ("Key" in asked)
    return keys if asked.get("ConsistentRead") else keys / 2
