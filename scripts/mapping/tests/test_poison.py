"""One poisonous record among a thousand, with bisect on: the whole story."""

import json

from millrace_mapping.core.discards import invocation_record, object_key, with_payload
from millrace_mapping.core.settings import Origin, Start
from millrace_mapping.simulation.scene import FIRST, Scene, poisoned

POISON = 617
QUEUE = "arn:aws:sqs:us-east-1:000000000000:discarded"
# Halves are tried in order; each failure of more than one record splits and uses up no retry; the
# record that is left alone has one attempt and two retries.
EXPECTED = [
    "0-999", "0-499", "500-999", "500-749", "500-624", "500-561", "562-624", "562-592",
    "593-624", "593-608", "609-624", "609-616", "617-624", "617-620", "617-618",
    "617", "617", "617",
    "618", "619-620", "621-624", "625-749", "750-999",
]  # fmt: skip


def play() -> Scene:
    scene = Scene(
        otherwise=poisoned(POISON),
        batch_size=1000,
        bisects=True,
        retries=2,
        destination_arn=QUEUE,
        start=Start(Origin.TRIM_HORIZON),
    )
    for number in range(1000):
        scene.put(f"key-{number % 17}", data=b'{"number": %d}' % number)
    return scene.run()


def test_which_invocations_happen():
    """Twenty-three, in this order: the search, three attempts at the record, and the rest."""
    assert play().batches() == EXPECTED


def test_all_others_succeed_once():
    """Every other record is processed exactly once, the poisonous one never."""
    processed = play().audit.processed
    assert len(processed) == 999
    assert set(processed.values()) == {1}
    assert str(FIRST + POISON) not in processed


def test_what_arrives_at_the_destination():
    """One document, for one record, after three invocations of it."""
    scene = play()
    (discard,) = scene.audit.deliveries
    record = invocation_record(discard, scene.settings)
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responseContext"]["functionError"] == "Unhandled"
    sequence = str(FIRST + POISON)
    batch = record["KinesisBatchInfo"]
    assert (batch["startSequenceNumber"], batch["endSequenceNumber"], batch["batchSize"]) == (
        sequence,
        sequence,
        1,
    )


def test_a_bucket_keeps_the_record_itself():
    """S3 receives the whole event too, from which the record can be had again."""
    scene = play()
    (discard,) = scene.audit.deliveries
    document = with_payload(invocation_record(discard, scene.settings), discard)
    (record,) = json.loads(document["payload"])["Records"]
    assert record["kinesis"]["sequenceNumber"] == str(FIRST + POISON)
    assert object_key(discard, "u", "unique").startswith("aws/lambda/u/shardId-000000000000/1970/")
