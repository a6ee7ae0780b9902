"""The one error of this package: what is wrong and what to do about it, in one message."""


class DocsError(Exception):
    """A document cannot be written or has drifted; the message names the fault and the remedy."""
