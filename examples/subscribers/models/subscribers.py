"""Who has a subscription? All that is known of a person is the first name, and a name tells of age.

What to see here:

- The rows come from a database, by the query in extracts/subscribers.sql; the answer is kept, so that only the first
  run waits for it.
- `Subscribers` says how rows become numbers. `Unique` knows the names that are frequent; `NameAge` and `NameSex` look
  up what a name tells of its bearers. All of it is fitted on the training split alone, and is the same when predicting.
- The versions differ in the features that they may use, by tags, so the queue shows what each of them is worth.

Try it: `python make_database.py`, then `mlpipeline -r -u` and `mlpipeline history`.
"""

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score

from mlpipeline import Model, Versions
from mlpipeline.data import TrainTestSplit, connections
from mlpipeline.data.encoders import Boolean, Discrete, Norm, Unique
from mlpipeline.data.transformers import Log, NameAge, NameSex


class Subscribers(TrainTestSplit):
    """Ten thousand people: 80 % to learn from, 10 % to select by, 10 % to report on."""

    def get_data(self):
        return connections.main.dataframe(extract="subscribers", limit=10_000, cache=True)

    def get_encoders(self):
        return (
            Unique("first_name", minimum_occurrences=100, tags=("name",)),
            Norm(Log(NameAge("first_name")), tags=("age",)),
            Discrete(NameSex("first_name"), bins=10, tags=("sex",)),
        )

    def get_output_encoder(self):
        return Boolean("has_subscription")


DATASET = Subscribers()


class Trees(Model):
    """Boosted trees over the features that the version names."""

    def train_model(self, input_fn, steps):
        """Fits the trees. `input_fn` is what the dataset's `get_train_input` returned: observations, x and y."""
        self.trees = HistGradientBoostingClassifier(
            max_iter=self.current_version["rounds"],
            max_depth=self.current_version["max_depth"],
            learning_rate=0.1,
            early_stopping=False,
            random_state=self.run.seed,
        )
        self.trees.fit(self.features(input_fn), input_fn.y)

    def evaluate_model(self, input_fn, steps):
        """Returns metrics; `always_no` is the accuracy of saying no to everybody: the least that a model must beat."""
        y, chances = input_fn.y, self.trees.predict_proba(self.features(input_fn))
        return {
            "auc": roc_auc_score(y, chances[:, 1]),
            "accuracy": (chances.argmax(axis=1) == y).mean(),
            "log_loss": log_loss(y, chances),
            "always_no": 1 - y.mean(),
        }

    def features(self, observations):
        """Returns the columns of the encoders that the version names by tags."""
        names = DATASET.encoding.names_tagged(self.current_version["features"])
        return observations.x[list(names)]


versions = Versions(dataloader=DATASET, rounds=50, max_depth=3)
versions.add("name", features=["name"])
versions.add("age", features=["age"])
versions.add("sex", features=["sex"])
versions.add("all", features=["name", "age", "sex"])

MODEL = Trees(versions)
