"""Trainers of networks, and of the yardstick: Keras, Naive."""

from __future__ import annotations

from mlpipeline.workflow.components.model_trainers.estimator_trainer import EstimatorTrainer


class KerasTrainer(EstimatorTrainer):
    """A network of Keras that the encoders shape: numbers as they are, scaled; categories embedded."""

    ESTIMATOR = "keras"
    SCALED = True


class NaiveTrainer(EstimatorTrainer):
    """The mean, or the shares of the classes, whatever the features say: what every model must beat."""

    ESTIMATOR = "naive"
