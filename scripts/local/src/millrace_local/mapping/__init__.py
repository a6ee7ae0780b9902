"""The engine's Kinesis event source mappings: `millrace_mapping` run for those that exist on it.

`poller` finds the mappings and runs them, `state` is the file by which their progress is read.
"""
