"""What can stop a deployment, in one line that says what to do."""


class DeployError(Exception):
    """An expected failure: what is wrong, and the remedy. Shown without a traceback."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem}; {remedy}" if remedy else problem)
