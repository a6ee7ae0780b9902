"""Dead letters: what failed for good, why, and how it goes back to work."""
