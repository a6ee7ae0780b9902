"""Ingest: validate, identify, deduplicate and store stream records."""
