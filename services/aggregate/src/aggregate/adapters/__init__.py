"""Unique markers and counters on DynamoDB; the rest comes from `millrace.aws`."""
