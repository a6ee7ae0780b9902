"""The cockpit of one environment: reading it, and telling what to run."""
