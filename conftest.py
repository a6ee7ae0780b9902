"""What every test run has: counts, figures, what is measured, how it is spread, AWS in memory."""

pytest_plugins = ["categories", "figures", "measuring", "spreading", "millrace_testing.mocked_aws"]
