"""The decisions of the API, pure: ids in paths, and why a request is refused."""
