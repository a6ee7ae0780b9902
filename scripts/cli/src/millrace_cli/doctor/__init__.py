"""`millrace doctor`: what is missing on this machine, and how to get it.

A check looks at one thing through a `Machine` and says what it found and what to do about it.
"""
