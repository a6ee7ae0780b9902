"""Contract suites: subclass one and give it the implementation under test."""
