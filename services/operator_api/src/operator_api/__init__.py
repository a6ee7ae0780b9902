"""The HTTP API of operators: what went wrong, looked at and put right."""
