"""Adapters to AWS: the only modules here that see boto3."""
