"""Makes of a booster a model as MLflow serves it: `mlflow_model.py BOOSTER DIRECTORY FEATURE...`."""

from __future__ import annotations

import sys

import mlflow.xgboost
import pandas as pd
import xgboost
from mlflow.models import infer_signature

booster = xgboost.Booster({"nthread": 1}, model_file=sys.argv[1])
# Names, by which it compares what is asked with what was fitted.
booster.feature_names = sys.argv[3:]
example = pd.DataFrame([[0.5] * len(sys.argv[3:])], columns=sys.argv[3:])
mlflow.xgboost.save_model(booster, sys.argv[2], signature=infer_signature(example))
