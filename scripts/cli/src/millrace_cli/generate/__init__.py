"""A made-up shop's events, the same bytes for the same options on every machine.

plan -> population -> sessions -> faults -> sample: what is asked for, who there is, what they did,
what went wrong on the way, and all of it as lines with the truth about them. Nothing here reads a
clock, the environment or a file, and the only source of chance is `draws`.
"""
