"""What both models learn from: tables that scikit-learn brings along. No `MODEL`, so it is never run."""

from mlpipeline.data import TrainTestSplit
from mlpipeline.data.encoders import Boolean, Pass


class Tumours(TrainTestSplit):
    """569 tumours by thirty measurements of their cells: 80 % to learn from, 10 % to select by, 10 % to report on."""

    def get_data(self):
        from sklearn.datasets import load_breast_cancer

        return load_breast_cancer(as_frame=True).frame

    def get_encoders(self):
        return [Pass(column) for column in self.get_data().columns if column != "target"]

    def get_output_encoder(self):
        return Boolean("target")
