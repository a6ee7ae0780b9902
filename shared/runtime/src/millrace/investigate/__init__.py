"""Asking what happened: an event's biography, lag, duplicates, late events, sources, gaps."""
