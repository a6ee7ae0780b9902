"""The one error of this package: what is wrong and what to do about it, in one message."""


class BuildError(Exception):
    """A build, check or lock cannot go on; the message names the fault and the remedy."""
