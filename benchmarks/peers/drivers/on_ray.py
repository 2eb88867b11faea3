"""Runs of the benchmark's empty model on a Ray cluster that is there, as a person writes that: `KIND COUNT ADDRESS`."""

import os
import pathlib
import sys

import ray


def train(root: str, number: int, paths: list[str]) -> int:
    """Runs the model as a script does, and leaves a trace."""
    sys.path[:0] = [f"{root}/models", *paths]
    from empty import MODEL

    MODEL.train_model(None, 1)
    MODEL.evaluate_model(None, 1)
    pathlib.Path(root, f"done.{number}").touch()
    return os.getpid()


class Holder:
    """An actor that has one run."""

    def train(self, root: str, number: int, paths: list[str]) -> int:
        """Runs the model."""
        return train(root, number, paths)


def by_tune(root: str, count: int, paths: list[str]) -> list[int]:
    """Has Ray Tune run trials, as many at a time as there are places."""
    from ray import tune

    def trial(config: dict[str, int]) -> dict[str, float]:
        train(root, config["number"], paths)
        return {"loss": 0.0}

    kept = tune.RunConfig(storage_path=f"{root}/results", verbose=0)
    found = tune.Tuner(trial, param_space={"number": tune.grid_search(list(range(count)))}, run_config=kept).fit()
    return list(range(len(found)))


def main(kind: str, count: int, address: str) -> None:
    """Runs so many, and checks that each left its trace."""
    ray.init(address=address, log_to_driver=False)
    root, paths = os.getcwd(), [each for each in sys.path if each]
    # Without a limit of one call, Ray has one process do many tasks.
    task = ray.remote(max_calls=1 if kind == "process" else 0)(train)
    holder = ray.remote(num_cpus=1)(Holder)
    if kind == "tune":
        by_tune(root, count, paths)
    elif kind == "actor":
        ray.get([holder.remote().train.remote(root, number, paths) for number in range(count)])
    else:
        ray.get([task.remote(root, number, paths) for number in range(count)])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
