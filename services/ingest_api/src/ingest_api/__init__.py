"""Ingest API: events over HTTP, onto the same stream as all others."""
