"""What every test run has: the count of tests by category."""

pytest_plugins = ["categories"]
