"""A search by Ray Tune, two trials at a time."""

import os
import sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
from ray import tune


def trial(config: dict[str, float]) -> dict[str, float]:
    """Costs nothing."""
    return {"loss": (config["x"] - 1) ** 2 + (config["y"] + 2) ** 2}


if __name__ == "__main__":
    place = os.getcwd()
    ray.init(include_dashboard=False, log_to_driver=False, num_cpus=2, _temp_dir=f"{place}/ray")
    several = tune.TuneConfig(num_samples=int(sys.argv[1]), max_concurrent_trials=2, metric="loss", mode="min")
    kept = tune.RunConfig(storage_path=f"{place}/results", verbose=0)
    space = {"x": tune.uniform(-5, 5), "y": tune.uniform(-5, 5)}
    found = tune.Tuner(trial, param_space=space, tune_config=several, run_config=kept).fit()
    assert len(found) == int(sys.argv[1])
    ray.shutdown()
