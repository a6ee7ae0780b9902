"""Aggregate: count, sum and count-unique per scope and window."""
