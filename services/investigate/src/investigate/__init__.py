"""Investigate: ask over HTTP what happened to events, entities and sources."""
