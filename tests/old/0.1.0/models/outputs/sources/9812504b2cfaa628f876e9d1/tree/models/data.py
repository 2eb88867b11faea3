"""What the models of this project learn from."""

from mlpipeline.helper import DataLoader


class Data(DataLoader):
    def __init__(self, samples=4):
        self.samples = samples

    def get_train_input(self, mode=None, **kw):
        return [1.0] * self.samples

    def get_test_input(self, **kw):
        return [1.0, 1.0]

    def get_train_sample_count(self):
        return self.samples

    def get_test_sample_count(self):
        return 2
