"""Is a tumour harmless? Trees that correct one another, by XGBoost: `pip install 'mlpipeline[xgboost-cpu]'`.

What to see here:

- `XGBoost(...)` takes the library's parameters by their own names, and stops when the validation split gets no better.
- Each round of boosting is a step: `mlpipeline plot` draws the loss, and a training that is killed goes on from its
  last round, with the very trees that it would have had.

Try it, in this directory: `mlpipeline -r -u`, then `mlpipeline plot` and `mlpipeline compare`.
"""

from tumours import Tumours

from mlpipeline import Versions
from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimators import XGBoost

MODEL = EstimatorModel(
    dataset=Tumours(),
    estimator=XGBoost(n_estimators=200, learning_rate=0.1),
    versions=Versions().grid(estimator__max_depth=[2, 4]),
)
