"""The runner of this project."""

from mlpipeline.workflow import ClassificationRunner


class MyRunner(ClassificationRunner):
    """Process, train, deploy, predict; methods of yours go here."""
