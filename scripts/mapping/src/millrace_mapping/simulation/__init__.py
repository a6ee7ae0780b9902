"""A stream, a function and faults in memory, on a clock of their own: any schedule from a seed."""
