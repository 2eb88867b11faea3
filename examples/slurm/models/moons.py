"""A grid on a cluster: six versions, one array of six jobs of Slurm, and no line of the model says so.

What to see here:

- `executor = slurm` in mlp.config is the whole difference: with `local` the same project trains on this machine, and
  results are equal to the last digit. `[SLURM]` says what a job asks for.
- `mlpipeline doctor --executor slurm` finds out whether it can work: programs, nodes, shared files, versions, clocks.
- `mlpipeline status` and `mlpipeline why` say what a job waits for; `squeue` shows the jobs, named by the queue.
- A job whose time runs out, or whose place another one wants, is asked for a checkpoint: the run goes on from it in
  another job. Of a loop, `self.run.steps` and `self.run.checkpoint` are all that this takes.

Try it, in this directory on a login node: `mlpipeline -r -u`, then `mlpipeline compare`. The queue may be ended
meanwhile: jobs go on, and the next `mlpipeline -r -u` takes them up.
"""

import numpy as np

from mlpipeline import Model, Versions

STEPS = 2000


def moons(count, seed):
    """Returns points on two half moons that reach into one another, shape (count, 2), and which each is on, 0 or 1."""
    random = np.random.default_rng(seed)
    which, angle = random.integers(0, 2, count), random.uniform(0, np.pi, count)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    place = np.where(which[:, None] == 0, upper, np.array([1.0, 0.5]) - upper)
    return place + random.normal(0, 0.2, (count, 2)), which


class Moons(Model):
    """A network with one hidden layer, by gradient descent."""

    def pre_execution_hook(self, version, model_dir, exec_mode=None):
        """Begins with drawn weights, or where the last checkpoint stands."""
        random = np.random.default_rng(self.run.seed)
        width = version["width"]
        drawn = {"w1": random.normal(0, 1, (2, width)), "b1": np.zeros(width), "w2": random.normal(0, 0.1, width)}
        self.weights = self.run.restore(self.load) or drawn

    def train_model(self, input_fn, steps):
        x, which = moons(400, seed=1)
        for _ in self.run.steps(total=STEPS - (self.run.checkpoint_step or 0)):
            hidden, chance = self.predict(x)
            error = (chance - which) / len(x)
            back = np.outer(error, self.weights["w2"]) * (1 - hidden**2)
            slopes = {"w1": x.T @ back, "b1": back.sum(0), "w2": hidden.T @ error}
            for name, slope in slopes.items():
                self.weights[name] = self.weights[name] - self.current_version["rate"] * slope
            self.run.record(loss=np.mean((chance - which) ** 2))
            self.run.checkpoint(self.save, every_seconds=60)
        self.run.checkpoint(self.save)

    def evaluate_model(self, input_fn, steps):
        x, which = moons(2000, seed=2)
        return {"accuracy": np.mean((self.predict(x)[1] > 0.5) == which)}

    def predict(self, x):
        hidden = np.tanh(x @ self.weights["w1"] + self.weights["b1"])
        return hidden, 1 / (1 + np.exp(-hidden @ self.weights["w2"]))

    def save(self, path):
        with path.open("wb") as file:
            np.savez(file, **self.weights)

    def load(self, path):
        with np.load(path) as saved:
            return dict(saved)


MODEL = Moons(Versions().grid(width=[2, 8, 32], rate=[0.1, 1.0]))
