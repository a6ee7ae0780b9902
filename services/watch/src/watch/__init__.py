"""Watch: send what ingest could not, and say how far behind the pipeline is."""
