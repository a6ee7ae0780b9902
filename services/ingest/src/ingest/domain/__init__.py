"""Ingest's decisions, pure: records in, verdicts and commits out."""
