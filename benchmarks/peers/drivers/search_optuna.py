"""A search by Optuna alone."""

import sys

import optuna


def cheap(trial: optuna.Trial) -> float:
    """Costs nothing."""
    x, y = trial.suggest_float("x", -5, 5), trial.suggest_float("y", -5, 5)
    return (x - 1) ** 2 + (y + 2) ** 2


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = "sqlite:///study.db" if sys.argv[2] == "sqlite" else None
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.TPESampler(seed=0, multivariate=True))
    study.optimize(cheap, n_trials=int(sys.argv[1]))
    assert len(study.trials) == int(sys.argv[1])
