"""The local engine: ministack with its shims, the Kinesis mapping, Terraform and their life cycle.

The launcher imports this package with the engine's own interpreter, which has no boto3: nothing
may be imported here.
"""
