"""The same people, and a network instead of trees: it is built of the dataset's encoders.

What to see here:

- A name that is frequent becomes a vector that is learnt, the sex another one; the age goes in as it is.
- `patience` ends the training when the validation split gets no better, and the best epoch is kept.
- `tensorboard --logdir models/outputs/runs` draws the learning curves of all runs, those of the trees as well.

A change in subscribers.py makes these versions due again too: what they import is part of them.
"""

from subscribers import Subscribers

from mlpipeline import Versions
from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimators import Keras

MODEL = EstimatorModel(
    dataset=Subscribers(),
    estimator=Keras(hidden_width=32, batch_size=256, patience=3),
    versions=Versions(epochs=10).grid(estimator__hidden_layers=[1, 2], estimator__dropout=[0.0, 0.3]),
)
