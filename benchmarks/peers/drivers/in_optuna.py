"""Trials of one study, kept in SQLite."""

import sys

import optuna
import trace_of_run


def objective(trial: optuna.Trial) -> float:
    """Does nothing."""
    trace_of_run.nothing(sys.argv[2])
    return 0.0


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=f"sqlite:///{sys.argv[3]}/optuna.db")
    study.optimize(objective, n_trials=int(sys.argv[1]))
