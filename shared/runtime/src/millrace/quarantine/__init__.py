"""Quarantine: find what was rejected, repair it by a declared rule, send it again, or drop it."""
