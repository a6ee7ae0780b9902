"""The gate on DynamoDB."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError
from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt
from tenacity.wait import wait_random_exponential

from ingest.domain.deduplication import Claim, Holder, Takeover
from ingest.ports import HasTime, always
from millrace.aws.batches import KEYS_PER_READ, chunked
from millrace.aws.errors import code_of, translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.commit import Owner
from millrace.errors import ConfigError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef

STATEMENTS_PER_CALL = 25  # BatchExecuteStatement's limit
_CALLS_AT_ONCE = 8
_DUPLICATE = "DuplicateItem"
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
_PERMANENT = frozenset({"AccessDenied", "ResourceNotFound", "ValidationError"})

T = TypeVar("T")


class DynamoGate:
    """`ingest.ports.Gate`: first insert wins.

    BatchExecuteStatement answers each INSERT by itself and charges one write unit for each, a
    transaction two: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.batching.html
    """

    def __init__(
        self, client: "DynamoDBClient", table: str, horizon: timedelta, max_wait_s: float = 2
    ) -> None:
        self._client = client
        self._table = table
        self._horizon_s = int(horizon.total_seconds())
        self._insert = (
            f"INSERT INTO \"{table}\" VALUE {{'id': ?, 'owner': ?, 'content': ?, 'expires_at': ?}}"
        )
        self._retrying = Retrying(
            stop=stop_after_attempt(6),
            wait=wait_random_exponential(multiplier=0.05, max=max_wait_s),
            retry=retry_if_result(bool),
        )

    def claim(self, claims: Sequence[Claim], has_time: HasTime = always) -> Mapping[bytes, Holder]:
        """Insert each claim if its key is free; return who holds each key now."""

        def inserts(some: Sequence[Claim]) -> tuple[list[Claim], list[Claim]]:
            return self._insert_all(some, has_time) if has_time() else ([], [])

        taken: list[Claim] = []
        holders: dict[bytes, Holder] = {}
        with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
            for inserted, present in pool.map(inserts, chunked(claims, STATEMENTS_PER_CALL)):
                holders |= {each.gate_key: _own(each) for each in inserted}
                taken += present
            for found in pool.map(self._holders_of, chunked(taken, KEYS_PER_READ)):
                holders |= found
        return holders

    def _insert_all(
        self, claims: Sequence[Claim], has_time: HasTime
    ) -> tuple[list[Claim], list[Claim]]:
        """Return the claims inserted and those whose key was taken; throttled ones are neither."""
        inserted: list[Claim] = []
        taken: list[Claim] = []
        waiting = list(claims)

        def another_round() -> bool:
            nonlocal waiting
            waiting = self._insert_round(waiting, inserted, taken)
            return bool(waiting) and has_time()

        # What still waits at the end stays unresolved: the first such record ends the prefix.
        with suppress(RetryError):
            self._retrying(another_round)
        return inserted, taken

    def _insert_round(
        self, claims: Sequence[Claim], inserted: list[Claim], taken: list[Claim]
    ) -> list[Claim]:
        statements = [self._statement(claim) for claim in claims]
        with translated("BatchExecuteStatement gate"):
            answer = self._client.batch_execute_statement(Statements=statements)
        throttled: list[Claim] = []
        for claim, response in zip(claims, answer["Responses"], strict=True):
            error = response.get("Error")
            code = error.get("Code", "") if error else None
            if code is None:
                inserted.append(claim)
            elif code == _DUPLICATE:
                taken.append(claim)
            elif code in _PERMANENT:
                raise ConfigError(f"the gate refuses INSERT: {error}")
            else:
                throttled.append(claim)
        return throttled

    def _statement(self, claim: Claim) -> "BatchStatementRequestTypeDef":
        fields = to_attributes(self._item(claim))
        return {"Statement": self._insert, "Parameters": list(fields.values())}

    def _item(self, claim: Claim) -> dict[str, Any]:
        return {
            "id": claim.gate_key,
            "owner": str(claim.owner),
            "content": claim.content_hash,
            "expires_at": claim.arrival_ms // 1000 + self._horizon_s,
        }

    def _holders_of(self, claims: Sequence[Claim]) -> dict[bytes, Holder]:
        """Read back who holds keys that were taken; a DuplicateItem answer carries no item."""
        by_key = {claim.gate_key: claim for claim in claims}
        holders: dict[bytes, Holder] = {}
        for item in self._read(list(by_key)):
            row = from_attributes(item)
            claim = by_key[row["id"].value]
            holder = Holder(Owner.parse(row["owner"]), row["content"].value)
            # Both are measured at arrival, so a second attempt sees the same.
            expired = int(row["expires_at"]) <= claim.arrival_ms // 1000
            if expired and holder.owner != claim.owner:
                holder = self._replace(claim, holder.owner) or holder
                if holder.owner != claim.owner:
                    continue  # someone else was faster: unresolved, the retry reads anew
            holders[claim.gate_key] = holder
        return holders

    def take_over(
        self, takeovers: Sequence[Takeover], has_time: HasTime = always
    ) -> Mapping[bytes, Holder]:
        """Replace each lost owner if it is still the one; return who holds these keys now."""

        def replaced(takeover: Takeover) -> Holder | None:
            return self._replace(takeover.claim, takeover.lost) if has_time() else None

        with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
            holders = zip(takeovers, pool.map(replaced, takeovers), strict=True)
            return {each.claim.gate_key: holder for each, holder in holders if holder}

    def _replace(self, claim: Claim, gone: Owner) -> Holder | None:
        """Take over a key whose owner is past its horizon (TTL deletes late) or lost for good."""
        with translated("PutItem gate"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=to_attributes(self._item(claim)),
                    ConditionExpression="#owner = :gone",
                    ExpressionAttributeNames={"#owner": "owner"},
                    ExpressionAttributeValues=to_attributes({":gone": str(gone)}),
                )
            except ClientError as err:
                if code_of(err) == "ConditionalCheckFailedException":
                    return None
                raise
        return _own(claim)

    def _read(self, gate_keys: Sequence[bytes]) -> Iterable[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        request: Any = {
            self._table: {
                "Keys": [to_attributes({"id": key}) for key in gate_keys],
                "ConsistentRead": True,
            }
        }

        def another_round() -> bool:
            nonlocal request
            with translated("BatchGetItem gate"):
                answer = self._client.batch_get_item(RequestItems=request)
            found.extend(answer["Responses"].get(self._table, []))
            request = answer["UnprocessedKeys"]
            return bool(request)

        with suppress(RetryError):  # keys never read stay unresolved
            self._retrying(another_round)
        return found


def _own(claim: Claim) -> Holder:
    return Holder(claim.owner, claim.content_hash)
