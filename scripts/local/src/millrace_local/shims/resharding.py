"""Kinesis: a shard that was split or merged stays, closed, until its records have expired.

https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
"""

import json
from collections.abc import Callable
from typing import Any

from millrace_local.shims.patching import attribute, replace

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[dict[str, Any]], Response]
Find = Callable[[dict[str, Any]], tuple[Any, dict[str, Any] | None]]
View = Callable[[str, dict[str, Any]], dict[str, Any]]

CLOSED = "ending_sequence_number"
_KINESIS = "services.kinesis"


def keep_closed_shards() -> None:
    """Keep the parents of SplitShard and MergeShards, which ministack forgets with their records.

    UpdateShardCount, which forgets all records of the stream, stays as it is.
    """
    find = attribute(_KINESIS, "_resolve_stream")
    number = attribute(_KINESIS, "_next_sequence_number")
    for name, members in (
        ("_split_shard", ("ShardToSplit",)),
        ("_merge_shards", ("ShardToMerge", "AdjacentShardToMerge")),
    ):
        replace(_KINESIS, name, keeping(attribute(_KINESIS, name), find, number, members))
    replace(_KINESIS, "_shard_out", showing_end(attribute(_KINESIS, "_shard_out")))
    replace(_KINESIS, "_route_to_shard", open_only(attribute(_KINESIS, "_route_to_shard")))
    iterators = attribute(_KINESIS, "_shard_iterators")
    streams = attribute(_KINESIS, "_streams")
    records = attribute(_KINESIS, "_get_records")
    replace(_KINESIS, "_get_records", ending(records, iterators, streams))


def keeping(
    reshard: Handler, find: Find, next_number: Callable[[], str], members: tuple[str, ...]
) -> Handler:
    """Return a SplitShard or MergeShards whose parents stay, closed."""

    def keep(data: dict[str, Any]) -> Response:
        _, stream = find(data)
        if stream is None:
            return reshard(data)
        shards: dict[str, Any] = stream["shards"]
        parents = {
            shard_id: shards[shard_id] for m in members if (shard_id := data.get(m)) in shards
        }
        if any(CLOSED in parent for parent in parents.values()):
            return reshard({**data, members[0]: "closed"})
        response = reshard(data)
        if response[0] == 200:
            for shard_id, parent in parents.items():
                parent[CLOSED] = next_number()
                shards[shard_id] = parent
        return response

    return keep


def showing_end(view: View) -> View:
    """Return the view of a shard with the end of its range, which says that it is closed."""

    def show(shard_id: str, shard: dict[str, Any]) -> dict[str, Any]:
        shown = view(shard_id, shard)
        if CLOSED in shard:
            shown["SequenceNumberRange"]["EndingSequenceNumber"] = shard[CLOSED]
        return shown

    return show


def open_only(route: Callable[[int, dict[str, Any]], str]) -> Callable[[int, dict[str, Any]], str]:
    """Return a routing that passes over closed shards."""

    def route_open(hash_key: int, stream: dict[str, Any]) -> str:
        shards = {k: v for k, v in stream["shards"].items() if CLOSED not in v}
        return route(hash_key, {**stream, "shards": shards})

    return route_open


def ending(get_records: Handler, iterators: Any, streams: Any) -> Handler:  # noqa: ANN401
    """Return a GetRecords that gives no further iterator at the end of a closed shard."""

    def get(data: dict[str, Any]) -> Response:
        state = iterators.get(data.get("ShardIterator"))
        status, headers, body = get_records(data)
        stream = streams.get(state["stream"]) if state and status == 200 else None
        if stream is None:
            return status, headers, body
        shard = stream["shards"][state["shard_id"]]
        if CLOSED not in shard:
            return status, headers, body
        answer = json.loads(body)
        following = iterators.get(answer["NextShardIterator"])
        if following["position"] >= len(shard["records"]):
            answer["NextShardIterator"] = None
            answer["ChildShards"] = [
                _child(child_id, child)
                for child_id, child in stream["shards"].items()
                if state["shard_id"]
                in {child.get("parent_shard_id"), child.get("adjacent_parent_shard_id")}
            ]
        return status, headers, json.dumps(answer).encode()

    return get


def _child(shard_id: str, shard: dict[str, Any]) -> dict[str, Any]:
    parents = [shard.get("parent_shard_id"), shard.get("adjacent_parent_shard_id")]
    return {
        "ShardId": shard_id,
        "ParentShards": [parent for parent in parents if parent],
        "HashKeyRange": {
            "StartingHashKey": shard["starting_hash_key"],
            "EndingHashKey": shard["ending_hash_key"],
        },
    }
