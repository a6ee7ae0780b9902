"""The decisions of the replay API, pure: cursors, targets, and why a request is refused."""
