"""What every test run has: counts by category, figures, how it is spread, and AWS in memory."""

pytest_plugins = ["categories", "figures", "spreading", "millrace_testing.mocked_aws"]
