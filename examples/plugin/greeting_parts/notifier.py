"""A component: a workflow file names it, `component: {notifier: LoudNotifier}`."""

from mlpipeline.workflow import Notifier


class LoudNotifier(Notifier):
    """Says what happened in capitals. An annotation is a key of its configuration."""

    marks: int = 1

    def notify(self, text: str, level: str = "info") -> None:
        """Writes it to the log."""
        self.log(text.upper() + "!" * self.marks)
