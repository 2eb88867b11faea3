"""What every model must beat: it says to everybody what most people in the training split are."""

from subscribers import Subscribers

from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimators import Naive

MODEL = EstimatorModel(dataset=Subscribers(), estimator=Naive())
