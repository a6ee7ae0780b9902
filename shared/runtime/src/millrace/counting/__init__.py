"""Counting: what events add to which rows; pure, for aggregate and for dry runs of a replay."""
