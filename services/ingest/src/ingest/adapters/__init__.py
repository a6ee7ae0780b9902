"""Ingest's ports on AWS."""
