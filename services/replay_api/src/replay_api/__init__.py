"""Replay API: plan and start a replay over HTTP, look at it, stop it."""
