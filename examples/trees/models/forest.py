"""Is a tumour harmless? A forest of scikit-learn's: `pip install 'mlpipeline[sklearn]'`.

What to see here:

- `SKLearn(...)` takes any classifier or regressor of scikit-learn, or a pipeline that ends in one.
- Versions change its parameters by their address: `estimator__sklearn__max_depth`.
- The rows come from tumours.py, beside this file; boosted.py learns from the same ones, so the two can be compared.

Try it, in this directory: `mlpipeline -r -u`, then `mlpipeline compare`; `mlpipeline serve` takes the best.
"""

from sklearn.ensemble import RandomForestClassifier
from tumours import Tumours

from mlpipeline import Versions
from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimators import SKLearn

MODEL = EstimatorModel(
    dataset=Tumours(),
    estimator=SKLearn(RandomForestClassifier(n_estimators=100)),
    versions=Versions().grid(estimator__sklearn__max_depth=[2, 8]),
)
