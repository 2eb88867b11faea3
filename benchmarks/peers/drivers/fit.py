"""Fits one model to a table that is made here, through mlpipeline or by the library itself; prints seconds."""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd

FEATURES = 20


def rows(count, seed):
    """Makes a table whose target two features and their product tell, with noise."""
    chance = np.random.default_rng(seed)
    x = pd.DataFrame(
        chance.normal(size=(count, FEATURES)).astype(np.float32), columns=[f"x{place}" for place in range(FEATURES)]
    )
    y = (x["x0"] + x["x1"] * x["x2"] + chance.normal(size=count) > 0).to_numpy().astype(np.int64)
    return x, y


def xgboost_ours(train, validation):
    from mlpipeline.learning.estimators import XGBoost

    return XGBoost(n_estimators=100, patience=None).fit(*train, validation=validation)


def xgboost_plain(train, validation):
    from xgboost import XGBClassifier

    both = [train, validation]
    return XGBClassifier(n_estimators=100, eval_metric="logloss").fit(*train, eval_set=both, verbose=False)


def lightgbm_ours(train, validation):
    from mlpipeline.learning.estimators import LightGBM

    return LightGBM(n_estimators=100, patience=None).fit(*train, validation=validation)


def lightgbm_plain(train, validation):
    import lightgbm

    made = lightgbm.Dataset(train[0].to_numpy(), train[1])
    sets = [made, made.create_valid(validation[0].to_numpy(), validation[1])]
    same = {"objective": "binary", "deterministic": True, "force_row_wise": True, "verbosity": -1}
    booster = lightgbm.train(same, made, 100, valid_sets=sets, callbacks=[lightgbm.record_evaluation({})])

    class Classifier:
        def predict(self, x):
            return (booster.predict(x.to_numpy()) > 0.5).astype(np.int64)

    return Classifier()


def sklearn_ours(train, validation):
    from mlpipeline.learning.estimators import SKLearn

    return SKLearn(forest()).fit(*train)


def sklearn_plain(train, validation):
    return forest().fit(*train)


def forest():
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(20, max_depth=10, n_jobs=-1, random_state=0)


def main():
    """Fits once, after a small fit that loads the library; then predicts single rows."""
    library, way, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    warnings.simplefilter("ignore")
    fit = globals()[f"{library}_{way}"]
    fit(rows(500, 1), rows(500, 2))
    train, validation = rows(count, 3), rows(count // 5, 4)
    begin = time.perf_counter()
    model = fit(train, validation)
    fitted = time.perf_counter()
    x, y = validation
    accuracy = float((model.predict(x) == y).mean())
    single = [x.iloc[[place]] for place in range(50)]
    model.predict(single[0])
    start = time.perf_counter()
    for row in single:
        model.predict(row)
    took = (time.perf_counter() - start) / len(single)
    print(json.dumps({"fit": fitted - begin, "row": took, "accuracy": accuracy}))


main()
