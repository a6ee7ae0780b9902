"""Replay: any slice of history into a new version; what its services and commands share."""
