"""Export: each hour of the archive as one file a client."""
