"""One case a module: `WHAT` says in a line what is measured, `run()` returns the figures.

A module added here is a case of `make bench`; nothing else lists it.
"""
