"""What every test run has: counts, figures, coverage, patience, processes, AWS in memory."""

pytest_plugins = [
    "categories", "figures", "measuring", "patience", "spreading", "millrace_testing.mocked_aws",
]  # fmt: skip
