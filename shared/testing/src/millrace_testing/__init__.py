"""Test doubles, builders and contract suites for every package."""
