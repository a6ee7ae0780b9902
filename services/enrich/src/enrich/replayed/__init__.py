"""Replayed events: from messages that name one event each to objects that aggregate counts."""
