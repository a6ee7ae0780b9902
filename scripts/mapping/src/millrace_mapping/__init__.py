"""Lambda's Kinesis event source mapping, by AWS's rules (docs/event-source-mapping.md).

`core` decides and does nothing: values and the time in, effects out. `simulation` carries its
effects out against a stream in memory, from a seed; `aws` and `runner` against the real APIs.
"""
