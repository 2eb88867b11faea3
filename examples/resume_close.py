"""Resumes closely: an interrupted training ends with nearly the numbers of one that was left alone.

It is `resume_exact.py`, but for a smaller checkpoint: weights and momentum are rounded to 32 bits in it, while the
training computes with 64. `mlpipeline --drill resume_close.py` says *close*, and by how much it is off. A network on a
GPU is often no better. A forgotten momentum is far worse: have `load` return `np.zeros(4)` for it, and see.
"""

import pickle

import numpy as np
from resume_exact import Line, Regression

from mlpipeline import Versions


class Rounded(Regression):
    """The same regression with half as large a checkpoint."""

    def save(self, path):
        weights, velocity = self.weights.astype(np.float32), self.velocity.astype(np.float32)
        path.write_bytes(pickle.dumps((weights, velocity, self.random)))

    def load(self, path):
        weights, velocity, random = super().load(path)
        return weights.astype(np.float64), velocity.astype(np.float64), random


MODEL = Rounded(Versions(dataloader=Line(), batch_size=32, epochs=5).add("plain"))
