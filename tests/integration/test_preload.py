"""A training in a worker whose libraries were imported before the fork is that of a fresh process, bit for bit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Workshop

HEAD = """
import os, random, sys
PRELOADED = LIBRARY in sys.modules
from truthful import *
import importlib

NUMBERS = {"random": random.random()}

def drawn():
    draw = {"numpy": lambda m: m.random.random(), "torch": lambda m: m.rand(1).item(),
            "tensorflow": lambda m: float(m.random.uniform([1])[0])}
    return {name: float(draw[name](sys.modules[name])).hex() for name in draw if name in sys.modules}

def threads():
    # But for the one in which Arrow's allocator gives memory back, which the warm process does without.
    names = [Path(f"/proc/self/task/{each}/comm").read_text() for each in os.listdir("/proc/self/task")]
    return sum("jemalloc" not in name for name in names)

class Mine(Truthful):
    def body(self, steps):
        losses = [float(loss).hex() for loss in self.losses()]
        seen = {"preloaded": PRELOADED, "losses": losses, "threads": threads(),
                "numbers": NUMBERS | drawn() | {"later": random.random()}, "path": sys.path,
                "variables": {k: v for k, v in os.environ.items() if k not in ("MLP_TOKEN", "MLP_SUPERVISOR")}}
        (ROOT / f"seen-{(ROOT / 'mode').read_text()}-{os.environ['OMP_NUM_THREADS']}.json").write_text(json.dumps(seen))
    def losses(self):
"""

TRAININGS = {
    "numpy": """
import numpy as np
x, w = np.random.normal(size=(300, 300)), np.zeros(300)
for _ in range(5):
    error = x @ w - x.sum(1)
    w -= 0.001 * x.T @ error
    yield (error @ error)
yield np.linalg.svd(x)[1].sum()
""",
    "pandas": """
import numpy as np, pandas
frame = pandas.DataFrame(np.random.normal(size=(1000, 3)), columns=list("abc"))
frame["key"] = np.random.randint(0, 7, 1000)
yield from frame.groupby("key").a.mean()
yield frame.rolling(10).b.std().sum()
yield frame.corr().c.prod()
""",
    "sklearn": """
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.cluster import KMeans
x = np.random.normal(size=(400, 10))
y = x[:, 0] * x[:, 1] > 0
yield from MLPClassifier((20,), max_iter=5).fit(x, y).loss_curve_
yield from HistGradientBoostingClassifier(max_iter=5).fit(x, y).predict_proba(x)[:3, 0]
yield KMeans(3, n_init=1).fit(x).inertia_
""",
    "sqlalchemy": """
import pandas
from sqlalchemy import create_engine, text
with create_engine("sqlite://").connect() as connection:
    frame = pandas.DataFrame({"x": [random.random() for _ in range(100)]})
    frame.to_sql("numbers", connection)
    yield from connection.execute(text("select x * x from numbers order by x limit 3")).scalars()
""",
    "duckdb": """
import duckdb
with duckdb.connect() as connection:
    connection.execute("set threads to 2")
    for _ in range(3):
        yield connection.execute("select sum(sqrt(x + ?)) from range(400000) as t(x)", [random.random()]).fetchone()[0]
""",
    "mlpipeline.data": """
import numpy as np, pandas, pyarrow
pyarrow.set_cpu_count(1)  # it starts threads of its pool as work queues up: with more, their number is chance
pyarrow.set_io_thread_count(1)
from mlpipeline.data import Connection, TrainTestSplit
from mlpipeline.data.encoders import Norm, Unique
from mlpipeline.data.transformers import Log
class People(TrainTestSplit):
    def get_data(self):
        main = Connection("duckdb://")
        frame = pandas.DataFrame({"number": np.random.random(1000), "word": np.random.choice(list("abc"), 1000)})
        main.insert("people", frame, create=True)
        return main.dataframe("select * from people order by number")
    def get_encoders(self):
        return Norm(Log("number")), Unique("word")
    def get_output_encoder(self):
        return None
found = People().encoded_training_data.x
yield from found.sum().tolist()
yield from found.iloc[0].tolist()
""",
    "xgboost": """
import numpy as np, xgboost
x = np.random.normal(size=(500, 5))
data = xgboost.DMatrix(x, label=x[:, 0] * x[:, 1] > 0)
found = {}
xgboost.train({"objective": "binary:logistic"}, data, 5, evals=[(data, "t")], evals_result=found, verbose_eval=False)
yield from found["t"]["logloss"]
""",
    "torch": """
import torch
net = torch.nn.Sequential(torch.nn.Linear(50, 100), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(100, 1))
adam = torch.optim.Adam(net.parameters())
x = torch.randn(2000, 50)
for _ in range(5):
    adam.zero_grad()
    loss = ((net(x)[:, 0] - x.sum(1)) ** 2).mean()
    loss.backward()
    adam.step()
    yield loss.item()
""",
    "jax": """
import jax, jax.numpy as jnp
x = jax.random.normal(jax.random.key(random.randrange(99)), (500, 50))
w = jnp.zeros(50)
loss = jax.jit(jax.value_and_grad(lambda w: jnp.mean((x @ w - x.sum(1)) ** 2)))
for _ in range(5):
    value, gradient = loss(w)
    w -= 0.1 * gradient
    yield value
""",
    # Keras imports TensorFlow: one start of both does for a loop of TensorFlow's own and a fit of Keras.
    "keras": """
import tensorflow as tf
x = tf.random.normal([500, 50])
w = tf.Variable(tf.random.normal([50]))
@tf.function
def step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((tf.linalg.matvec(x, w) - tf.reduce_sum(x, 1)) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss
for _ in range(5):
    yield step()
import keras, numpy as np
net = keras.Sequential([keras.layers.Dense(20, "relu"), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
net.compile("adam", "mse")
x = np.random.normal(size=(200, 5))
yield from net.fit(x, x.sum(1), epochs=4, verbose=0).history["loss"]
""",
}


def trained(workshop: Workshop, library: str, preload: str) -> dict[str, dict[str, Any]]:
    """Trains with one and with two threads. Returns what was seen, by the number of threads."""
    workshop.config(f"preload = {preload}\n")
    (workshop.root / "mode").write_text(preload)
    lines = "\n".join(f"        {line}" for line in TRAININGS[library].strip().splitlines())
    text = HEAD.strip().replace("LIBRARY", repr(library)) + f"\n{lines}\n\n"
    for number in (1, 2):
        name = f"m{number}.py"
        (workshop.models / name).write_text(text + 'MODEL = Mine(Versions(0.1, Loader(), 2, 1).add("one"))\n')
    workshop.list("m1.py = threads=1", "m2.py = threads=2")
    status, said = workshop.run("-r", "-j", "2")
    assert status == 0, said
    assert ("preload: " in said) is (preload == "auto")
    return {each: json.loads((workshop.root / f"seen-{preload}-{each}.json").read_text()) for each in ("1", "2")}


@pytest.mark.slow
@pytest.mark.parametrize("library", TRAININGS)
def test_a_training_is_the_same_warm_and_cold(workshop: Workshop, library: str) -> None:
    pytest.importorskip(library)
    warm, cold = trained(workshop, library, "auto"), trained(workshop, library, "none")
    for each in ("1", "2"):
        assert warm[each].pop("preloaded")
        assert not cold[each].pop("preloaded")
        paths = [seen.pop("path") for seen in (warm[each], cold[each])]
        assert [len(path) for path in paths] == [len(paths[1])] * 2
        for found in (warm[each], cold[each]):
            copies = found["variables"].pop("PYTHONPATH")
            assert str(workshop.outputs) in copies
        assert warm[each] == cold[each], each
    assert len(warm["1"]["losses"]) > 2
