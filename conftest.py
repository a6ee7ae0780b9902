"""What every test run has: counts by category, figures, and how it is spread over processes."""

pytest_plugins = ["categories", "figures", "spreading"]
