"""Searches parameters with Optuna: where is the pit deepest? `pip install 'mlpipeline[tune]'`.

What to see here:

- `Versions().search(space, trials=..., metric=...)` is the whole of it. Each trial is a run: in the history,
  resumed after a kill, and never trained twice. There is no database of trials beside the ledger.
- Trials are drawn as slots become free, and later ones learn from earlier ones; `-j 2` trains two at a time.
- `metric="height"` is the last value of `self.run.record(height=...)`; a score of `evaluate_model` would do as well.
- More trials later: raise `trials`, and the missing ones are drawn.

Try it, in this directory: `mlpipeline -r -u`, then `mlpipeline compare pit.py` and `mlpipeline history`.
"""

import math

from mlpipeline import Model, Versions

STEPS = 30


class Pit(Model):
    """A ball that rolls downhill: how far down it comes depends on where it starts, and on the length of its steps."""

    def train_model(self, input_fn, steps):
        self.x = self.current_version["start"]
        for _ in self.run.steps(total=STEPS):
            self.x -= self.current_version["step_size"] * self.slope(self.x)
            self.run.record(height=self.height(self.x))

    def evaluate_model(self, input_fn, steps):
        return {"x": self.x}

    def height(self, x):
        """A valley with ripples: it is deepest at x = 4.2, -1 high; many a ripple holds a ball back."""
        return 0.02 * (x - 4.0) ** 2 - math.cos(3 * (x - 4.2))

    def slope(self, x):
        return 0.04 * (x - 4.0) + 3 * math.sin(3 * (x - 4.2))


MODEL = Pit(
    Versions().search(
        {"start": (-10.0, 10.0), "step_size": (0.001, 0.2, "log")},
        trials=20,
        metric="height",
        direction="minimize",
        sampler="tpe",
    )
)
