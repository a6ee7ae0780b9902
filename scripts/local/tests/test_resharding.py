"""Closed shards and the view of mappings: the shims' logic, without the engine."""

import json
from pathlib import Path
from typing import Any

import pytest

from millrace_local.mapping.state import MappingProgress, write_state
from millrace_local.shims.mappings import complete, with_results
from millrace_local.shims.resharding import CLOSED, ending, keeping, open_only, showing_end


def stream() -> dict[str, Any]:
    return {"shards": {"a": {"records": [1, 2]}, "b": {"records": []}}}


def reshard_of(stream: dict[str, Any]) -> Any:
    """A SplitShard as ministack has it: the parent is gone."""

    def split(data: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        shard_id = data["ShardToSplit"]
        if shard_id not in stream["shards"]:
            return 400, {}, b"{}"
        del stream["shards"][shard_id]
        stream["shards"][f"{shard_id}1"] = {"records": [], "parent_shard_id": shard_id}
        return 200, {}, b"{}"

    return split


def test_a_split_shard_stays_with_its_records():
    """It is closed, says where it ends, and takes no more records."""
    s = stream()
    split = keeping(reshard_of(s), lambda _: ("s", s), lambda: "9", ("ShardToSplit",))
    assert split({"ShardToSplit": "a"})[0] == 200
    assert s["shards"]["a"] == {"records": [1, 2], CLOSED: "9"}
    shown = showing_end(lambda *_: {"SequenceNumberRange": {}})("a", s["shards"]["a"])
    assert shown["SequenceNumberRange"] == {"EndingSequenceNumber": "9"}
    assert open_only(lambda _, s: ",".join(s["shards"]))(0, s) == "b,a1"


def test_a_closed_shard_is_not_split_again():
    """The request is refused and nothing is changed."""
    s = stream()
    split = keeping(reshard_of(s), lambda _: ("s", s), lambda: "9", ("ShardToSplit",))
    split({"ShardToSplit": "a"})
    before = json.dumps(s)
    assert split({"ShardToSplit": "a"})[0] == 400
    assert json.dumps(s) == before


@pytest.mark.parametrize(("position", "following"), [(1, "next"), (2, None)])
def test_a_closed_shard_gives_no_iterator_at_its_end(position, following):
    """The last page names the children instead."""
    s = stream()
    s["shards"]["a"][CLOSED] = "9"
    s["shards"]["c"] = {
        "records": [],
        "parent_shard_id": "a",
        "starting_hash_key": "0",
        "ending_hash_key": "1",
    }
    iterators = {"i": {"stream": "s", "shard_id": "a"}, "next": {"position": position}}
    page = json.dumps({"Records": [], "NextShardIterator": "next"}).encode()
    answer = json.loads(
        ending(lambda _: (200, {}, page), iterators, {"s": s})({"ShardIterator": "i"})[2]
    )
    assert answer["NextShardIterator"] == following
    assert [child["ShardId"] for child in answer.get("ChildShards", [])] == (
        [] if following else ["c"]
    )


def test_a_stream_mapping_has_the_defaults_of_aws():
    """What a mapping does not say is what AWS would do; its starting time is kept."""
    stored: dict[str, dict[str, Any]] = {}

    def create(data: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        stored["u"] = {"UUID": "u", "BatchSize": data.get("BatchSize", 10)}
        return 202, {}, json.dumps(stored["u"]).encode()

    arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
    answer = json.loads(
        complete(create, stored)({"EventSourceArn": arn, "StartingPositionTimestamp": 5.0})[2]
    )
    assert (answer["BatchSize"], answer["StartingPositionTimestamp"]) == (100, 5.0)
    assert stored["u"]["StartingPositionTimestamp"] == 5.0
    queue = "arn:aws:sqs:us-east-1:000000000000:q"
    assert json.loads(complete(create, stored)({"EventSourceArn": queue})[2])["BatchSize"] == 10


def test_a_mapping_shows_the_last_result_of_the_poller(tmp_path: Path):
    """Before the first report, and for a mapping of another kind, it is ministack's own."""
    state = tmp_path / "mapping.json"
    view = with_results(lambda mapping: {**mapping, "LastProcessingResult": "own"}, state)
    assert view({"UUID": "u"})["LastProcessingResult"] == "own"
    write_state(state, {"u": MappingProgress("stream", "function", result="OK")})
    assert view({"UUID": "u"})["LastProcessingResult"] == "OK"
    assert view({"UUID": "other"})["LastProcessingResult"] == "own"
