"""What answers look like to a person: one module an answer."""
