"""Batches that the stream's mapping gave up: what is known of them, and how they are mended."""
