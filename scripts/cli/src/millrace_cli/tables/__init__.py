"""What an investigation's answers look like to a person: one module an answer."""
