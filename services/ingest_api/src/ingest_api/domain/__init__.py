"""The front door's decisions, pure: a body in, records or a refusal out."""
