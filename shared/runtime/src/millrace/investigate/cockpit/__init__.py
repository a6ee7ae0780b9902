"""The cockpit: one ranked list of what is wrong now, and what was checked."""
