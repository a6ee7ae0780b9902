"""What a piece of work costs, counted from the wire: requests by operation, capacity consumed."""

from collections import Counter
from typing import Any


class WireCost:
    """Counts the answered requests of its clients and the capacity that DynamoDB says they took.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html
    """

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.write_units: Counter[str] = Counter()
        """By operation; indexes included."""
        self.read_units: Counter[str] = Counter()

    def attach(self, *clients: Any) -> None:  # noqa: ANN401 - any boto3 client
        """Count what these clients do from now on."""
        for client in clients:
            client.meta.events.register("provide-client-params.dynamodb", _ask_for_capacity)
            client.meta.events.register("after-call", self._count)

    def _count(self, model: Any, parsed: dict[str, Any], **_: object) -> None:  # noqa: ANN401
        self.requests[model.name] += 1
        consumed = parsed.get("ConsumedCapacity", [])
        for each in consumed if isinstance(consumed, list) else [consumed]:
            if model.name.startswith(("Get", "BatchGet", "Query", "Scan")):
                self.read_units[model.name] += each.get("CapacityUnits", 0)
            else:
                units = each.get("WriteCapacityUnits", each.get("CapacityUnits", 0))
                self.write_units[model.name] += units


def _ask_for_capacity(params: dict[str, Any], **_: object) -> dict[str, Any]:
    return params | {"ReturnConsumedCapacity": "TOTAL"}
