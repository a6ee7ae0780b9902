"""The millrace command line."""
