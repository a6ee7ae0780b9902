"""The one error of this package: a line for a person, with the remedy in it."""


class LocalEngineError(Exception):
    """The local engine cannot do what was asked; the message says why and what to do."""
