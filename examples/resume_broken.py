"""Resumes wrongly, as a warning: it saves its weights and never loads them.

It is `resume_exact.py`, but for a forgotten line. Trained in one go it is faultless, so no other test finds it.
Interrupted, it goes on counting where it was, with weights that know nothing, and its result passes for that of a whole
training. `mlpipeline --drill resume_broken.py` says *broken*, and at which step. For that reason it is on no list.
"""

import numpy as np
from resume_exact import Line, Regression

from mlpipeline import Versions


class Forgetful(Regression):
    """The same regression, begun anew whatever the checkpoint holds."""

    def pre_execution_hook(self, version, model_dir, exec_mode=None):
        self.weights, self.velocity = np.zeros(4), np.zeros(4)
        self.random = np.random.default_rng(self.run.seed)
        # What was forgotten: to ask self.run.restore for what the last checkpoint holds.


MODEL = Forgetful(Versions(dataloader=Line(), batch_size=32, epochs=5).add("plain"))
