"""Trials of Ray Tune, one at a time."""

import os
import sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
import trace_of_run
from ray import tune


def trial(config: dict[str, str]) -> dict[str, float]:
    """Does nothing."""
    trace_of_run.nothing(config["stamps"])
    return {"loss": 0.0}


if __name__ == "__main__":
    ray.init(include_dashboard=False, log_to_driver=False, _temp_dir=f"{sys.argv[3]}/ray")
    several = tune.TuneConfig(num_samples=int(sys.argv[1]), max_concurrent_trials=1)
    kept = tune.RunConfig(storage_path=f"{sys.argv[3]}/results", verbose=0)
    tune.Tuner(trial, param_space={"stamps": sys.argv[2]}, tune_config=several, run_config=kept).fit()
    ray.shutdown()
