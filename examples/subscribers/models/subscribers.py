"""Who has a subscription? All that is known of a person is the first name, and a name tells of age.

What to see here:

- The rows come from a database, by the query in extracts/subscribers.sql; the answer is kept, so that only the first
  run waits for it.
- `Subscribers` says how rows become numbers. `Unique` knows the names that are frequent; `NameAge` and `NameSex` look
  up what a name tells of its bearers. All of it is fitted on the training split alone, and is the same when predicting.
- Versions change parameters by their address: `estimator__max_depth` is the estimator's, `dataset__subsample` would be
  the dataset's. The validation split selects, and the test split is for the report.

Try it: `python make_database.py`, then `mlpipeline -r -u` and `mlpipeline history`.
"""

from mlpipeline import Versions
from mlpipeline.data import TrainTestSplit, connections
from mlpipeline.data.encoders import Boolean, Discrete, Norm, Unique
from mlpipeline.data.transformers import Log, NameAge, NameSex
from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimators import XGBoost


class Subscribers(TrainTestSplit):
    """Ten thousand people: 80 % to learn from, 10 % to select by, 10 % to report on."""

    def get_data(self):
        return connections.main.dataframe(extract="subscribers", limit=10_000, cache=True)

    def get_encoders(self):
        return (
            Unique("first_name", minimum_occurrences=100),
            Norm(Log(NameAge("first_name"))),
            Discrete(NameSex("first_name"), bins=10),
        )

    def get_output_encoder(self):
        return Boolean("has_subscription")


MODEL = EstimatorModel(
    dataset=Subscribers(),
    estimator=XGBoost(),
    versions=Versions().grid(estimator__max_depth=[3, 8], estimator__learning_rate=[0.1, 0.3]),
)
