"""The Kinesis event source mapping: polls shards and invokes functions as Lambda does.

Semantics: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
Pure: `settings`, `records`, `outcome`. One shard's life: `shard`. Input and output: `aws`, `state`.
The process: `poller`.
"""
