"""A training pipeline of one's own."""

from mlpipeline.workflow import ModelTrainer, Pipeline


class MyTraining(Pipeline):
    """Fits. What it does not do itself (splitting, scores, records), the runner does."""

    model_trainer: ModelTrainer  # what it needs, by type; any implementation will do

    def train_model(self, data):
        """Returns the fitted trainer."""
        return self.model_trainer.fit(data)
