"""Export's adapters."""
