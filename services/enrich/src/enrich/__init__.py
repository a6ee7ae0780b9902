"""Enrich: normalise committed events and attach experiment assignments."""
