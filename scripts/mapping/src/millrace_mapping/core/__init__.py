"""The rules: pure, deterministic, without a clock, a thread or an AWS client."""
