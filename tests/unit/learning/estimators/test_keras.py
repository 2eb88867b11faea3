"""Networks learn, go on after an interruption, and are saved without code."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors, wire
from mlpipeline.context import RunContext
from mlpipeline.data.encoders import Boolean, Norm, Token, Unique
from mlpipeline.data.encoding import Encoding, Observations
from mlpipeline.data.streaming import Stream
from mlpipeline.learning.estimators import Keras
from mlpipeline.learning.network import heads, layers
from mlpipeline.learning.target import Kind

from .keras_rows import EndsEarly, encoded

pytestmark = pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="tensorflow is not installed")

SMALL: dict[str, Any] = {"hidden_width": 8, "hidden_layers": 1, "learning_rate": 0.02}


def line(rows: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Returns features and a number that follows from them."""
    x = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    return x, x @ [1.0, -2.0, 0.5]


def test_describing_a_network_costs_no_tensorflow_and_loading_it_is_quiet() -> None:
    program = (
        "import sys; from mlpipeline.learning.estimators import Keras\n"
        "print(Keras(epochs=3), 'tensorflow' in sys.modules)\n"
        "import numpy as np; Keras(hidden_width=2, hidden_layers=1, epochs=1).fit(np.ones((4, 1)), np.arange(4.0))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=200, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Keras(epochs=3) False\n", "")


def test_xor_is_learnt_from_words_and_classes() -> None:
    random = np.random.default_rng(0)
    a, b = random.integers(0, 2, 400), random.integers(0, 2, 400)
    words = np.where(a == b, "same old thing", "one of each")
    frame = pd.DataFrame({"a": a, "b": b, "words": random.permutation(words), "xor": a != b})
    encoding, (x, y) = encoded(frame, [Unique("a"), Unique("b"), Token("words")], Boolean("xor"))
    keras = Keras(hidden_width=16, hidden_layers=1, epochs=15, learning_rate=0.02).fit(x, y, encoding=encoding)
    assert keras.target_.kind == "binary"
    assert keras.score(x, y) == 1.0
    assert keras.predict(x[:5]).shape == (5,)


def order_of(rows: int, seed: int) -> pd.DataFrame:
    """Returns texts of which only the order of two words tells the answer: they are anywhere among other words."""
    random = np.random.default_rng(seed)
    first = random.integers(0, 2, rows).astype(bool)
    texts = []
    for yes in first:
        words = list(random.choice(["x", "y", "z"], random.integers(0, 4)))
        places = np.sort(random.choice(len(words) + 2, 2, replace=False))
        for place, word in zip(places, ("a", "b") if yes else ("b", "a"), strict=True):
            words.insert(place, word)
        texts.append(" ".join(words))
    return pd.DataFrame({"text": texts, "answer": first})


def test_the_order_of_a_sequence_is_learnt() -> None:
    encoding, (x, y) = encoded(order_of(1200, 0), [Token("text", sequence_length=8)], Boolean("answer"))
    keras = Keras(
        sequence_embedding="gru", sequence_embed_size=12, hidden_layers=0, epochs=12, learning_rate=0.03, seed=1
    )
    keras.fit(x, y, encoding=encoding)
    held_out = encoding.observations(order_of(300, 1))
    assert keras.score(held_out.x, held_out.y) > 0.97


@pytest.mark.parametrize("towers", [1, 2])
def test_towers_weigh_the_same_and_the_loss_is_that_of_one(towers: int) -> None:
    x, y = line()
    keras = Keras(hidden_width=8, hidden_layers=1, epochs=1, towers=towers, optimizer="sgd", batch_size=64)
    features = keras.fit(x, y).features_
    built = keras.build(features, keras.target_)
    network = layers.trainable_of(built)
    head = heads.Head(keras.target_, None, towers)
    head.compile(network, heads.optimizer_of("adam", None), steps=1)
    found = network.evaluate([x], head.learnable(y), verbose=0, return_dict=True)
    each = [np.asarray(one)[:, 0] for one in (built([x]) if towers > 1 else [built([x])])]
    np.testing.assert_allclose(found["loss"], np.mean([np.mean((one - y) ** 2) for one in each]), rtol=1e-4)
    np.testing.assert_allclose(found["rmse"], np.sqrt(np.mean((np.mean(each, axis=0) - y) ** 2)), rtol=1e-4)


@pytest.mark.parametrize("kind", [Kind.BINARY, Kind.MULTICLASS])
def test_towers_of_classes_and_losses_by_name(kind: Kind) -> None:
    x, value = line()
    y = np.digitize(value, [0.0] if kind is Kind.BINARY else [-1.0, 1.0])
    loss = "binary_focal_crossentropy" if kind is Kind.BINARY else "categorical_crossentropy"
    keras = Keras(**SMALL, epochs=6, towers=2, loss=loss, dropout=0.1).fit(x, y, validation=(x, y))
    assert keras.history_["train_loss"][-1] < keras.history_["train_loss"][0]
    assert keras.predict_proba(x).shape == (64, len(set(y)))
    np.testing.assert_allclose(keras.score(x, y), max(keras.history_["validation_accuracy"]), atol=0.2)


def test_an_interrupted_fit_ends_with_the_very_same_weights(tmp_path: Path) -> None:
    x, y = line(100)
    params = {**SMALL, "epochs": 5, "dropout": 0.3, "batch_norm": True, "batch_size": 16, "patience": None}

    def fit(run: RunContext) -> Keras:
        return Keras(**params).fit(x, y, validation=(x[:20], y[:20] * 0.5), run=run)

    straight = fit(EndsEarly(tmp_path / "straight"))
    fit(EndsEarly(tmp_path / "killed", 2))
    rest = EndsEarly(tmp_path / "killed")
    assert rest.checkpoint_step == 2
    resumed = fit(rest)
    assert resumed.history_ == straight.history_
    assert resumed.best_epoch_ == straight.best_epoch_
    for ours, expected in zip(resumed.network_.get_weights(), straight.network_.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)
    # What is done already is not done again.
    again = EndsEarly(tmp_path / "killed")
    assert fit(again).history_ == straight.history_
    with pytest.raises(errors.ModelFault, match="not of this network"):
        Keras(**params | {"hidden_width": 9}).fit(x, y, run=EndsEarly(tmp_path / "killed"))


class Planted(Keras):
    """Its validation loss is what the test says; the weights of each epoch are its number."""

    curve: ClassVar[Sequence[float]] = ()

    def callbacks(self) -> list[Any]:
        from mlpipeline.learning.network.runtime import libraries

        callback = libraries().keras.callbacks.Callback()

        def end(epoch: int, logs: dict[str, float]) -> None:
            logs["val_loss"] = self.curve[epoch]
            callback.model.set_weights([np.full_like(each, epoch + 1) for each in callback.model.get_weights()])

        callback.on_epoch_end = end
        return [callback]


@pytest.mark.parametrize(("curve", "best"), [([3.0, 0.0, 1.0, 1.0, 0.5], 2), ([1.0, 2.0, 2.0, 0.1, 0.1], 1)])
def test_the_weights_of_the_best_epoch_are_kept(monkeypatch: pytest.MonkeyPatch, curve: list[float], best: int) -> None:
    monkeypatch.setattr(Planted, "curve", curve)
    x, y = line()
    keras = Planted(**SMALL, epochs=5, patience=2).fit(x, y, validation=(x, y))
    assert keras.best_epoch_ == best
    assert len(keras.history_["validation_loss"]) == best + 2
    assert {float(value) for each in keras.network_.get_weights() for value in each.ravel()} == {float(best)}


def test_a_loss_that_is_no_number_ends_it(tmp_path: Path) -> None:
    x, y = line()
    with pytest.raises(errors.NotFinite, match=r"loss is (nan|inf) after epoch 1: a smaller learning_rate"):
        Keras(**SMALL, optimizer="sgd", epochs=3).set_params(learning_rate=1e30).fit(x, y)


def test_a_wish_to_stop_ends_it_with_what_was_learnt(tmp_path: Path) -> None:
    (tmp_path / "attempt").mkdir()
    run = RunContext(directory=tmp_path / "attempt", model_dir=tmp_path / "model")
    (tmp_path / "model").mkdir()

    class Stops(Keras):
        def callbacks(self) -> list[Any]:
            from mlpipeline.learning.network.runtime import libraries

            def end(epoch: int, logs: Any = None) -> None:
                wire.write_json(tmp_path / "attempt" / wire.CONTROL, {"action": "stop"})

            return [libraries().keras.callbacks.LambdaCallback(on_epoch_end=end)]

    x, y = line()
    keras = Stops(**SMALL, epochs=1000, patience=None).fit(x, y, run=run)
    assert 1 <= len(keras.history_["train_loss"]) < 1000
    assert run.stop_reason == "stop"
    assert run.checkpoint_step == len(keras.history_["train_loss"])
    run.close()
    rows = [json.loads(line) for line in (tmp_path / "attempt" / wire.METRICS).read_text().splitlines()]
    assert {"train_loss", "train_rmse", "train_mae"} <= set(rows[0]["values"])


def test_ctrl_c_goes_through_and_leaves_what_was_learnt() -> None:
    class Interrupted(Keras):
        def callbacks(self) -> list[Any]:
            from mlpipeline.learning.network.runtime import libraries

            def begin(epoch: int, logs: Any = None) -> None:
                if epoch == 2:
                    raise KeyboardInterrupt

            return [libraries().keras.callbacks.LambdaCallback(on_epoch_begin=begin)]

    x, y = line()
    keras = Interrupted(**SMALL, epochs=9)
    with pytest.raises(KeyboardInterrupt):
        keras.fit(x, y)
    assert len(keras.history_["train_loss"]) == 2
    assert keras.predict(x).shape == (64,)


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="tensorboard is not installed")
def test_tensorboard_finds_learning_curves_in_the_run_directory(tmp_path: Path) -> None:
    x, y = line()
    Keras(**SMALL, epochs=2).fit(x, y, validation=(x, y), run=RunContext(directory=tmp_path))
    found = {path.parent.name: path.read_bytes() for path in tmp_path.rglob("events.out.tfevents.*")}
    assert found.keys() == {"train", "validation"}
    assert all(b"epoch_loss" in each for each in found.values())
    (tmp_path / "none").mkdir()
    Keras(**SMALL, epochs=1, tensorboard=False).fit(x, y, run=RunContext(directory=tmp_path / "none"))
    assert not (tmp_path / "none" / "tensorboard").exists()


def test_a_stream_is_walked_over_piece_by_piece() -> None:
    alive: list[int] = []

    class Piece(pd.DataFrame):
        """Tells when it goes."""

        def __del__(self) -> None:
            alive[0] -= 1

    alive.append(0)
    most = [0]

    def walk() -> Iterator[Observations]:
        random = np.random.default_rng(0)
        for _ in range(30):
            x = random.normal(size=(500, 2)).astype(np.float32)
            alive[0] += 1
            most[0] = max(most[0], alive[0])
            yield Observations(Piece({"a": x[:, 0], "b": x[:, 1]}), x @ [1.0, 2.0])

    keras = Keras(**SMALL, epochs=2, batch_size=100).fit(Stream(walk, 15_000), validation=Stream(walk, 15_000))
    assert most[0] <= 5, f"{most[0]} of 30 pieces were in memory at once"
    assert len(keras.history_["validation_loss"]) == 2
    x = np.random.default_rng(1).normal(size=(50, 2))
    assert keras.score(x, x @ [1.0, 2.0]) > 0.9


def test_what_is_wrong_within_a_stream_is_said_by_name() -> None:
    def walk() -> Iterator[Observations]:
        for number in range(4):
            x = pd.DataFrame({"a": np.arange(50.0), "b": np.nan if number == 2 else 1.0})
            yield Observations(x, np.arange(50.0))

    with pytest.raises(errors.DataFault, match="'b' is missing, or infinite"):
        Keras(**SMALL, epochs=2).fit(Stream(walk, 200))


def test_more_rows_in_a_batch_than_there_are() -> None:
    x, y = line(10)
    assert Keras(**SMALL, batch_size=1000, epochs=2).fit(x, y).predict(x).shape == (10,)
    several = np.stack([y, -y], axis=1)
    assert Keras(**SMALL, epochs=1, kind="regression").fit(x, several).predict(x).shape == (10, 2)


def test_an_own_layer_is_loaded_where_the_class_says_so(tmp_path: Path) -> None:
    from mlpipeline.learning.network.runtime import libraries

    keras = libraries().keras

    class Double(keras.layers.Layer):  # type: ignore[misc,name-defined]
        def call(self, x: Any) -> Any:
            return 2 * x

    class Doubled(Keras):
        def build_hidden(self, joined: Any, tower: int) -> Any:
            return Double()(joined)

    class Told(Doubled):
        custom_objects: ClassVar[dict[str, type]] = {"Double": Double}

    x, y = line()
    with pytest.raises(errors.DataFault, match=r"class 'Double'.*custom_objects"):
        Doubled(epochs=1).fit(x, y).save(tmp_path)
    fitted = Told(epochs=1).fit(x, y)
    state = fitted.save(tmp_path)
    np.testing.assert_array_equal(Told().load(tmp_path, state).predict(x), fitted.predict(x))
    with pytest.raises(errors.DataFault, match="class 'Double'"):
        Keras().load(tmp_path, state)


@pytest.mark.parametrize(
    "part",
    [
        {"class_name": "Lambda", "module": "keras.layers", "config": {}},
        {"class_name": "__lambda__", "config": {"value": "code"}},
        {"class_name": "system", "module": "os", "config": "true"},
        {"class_name": "function", "module": "builtins", "config": "eval"},
        {"class_name": "enable_unsafe_deserialization", "module": "keras.config", "config": {}},
    ],
)
def test_a_file_that_holds_code_is_not_loaded(tmp_path: Path, part: dict[str, Any]) -> None:
    path = tmp_path / "network.keras"
    with zipfile.ZipFile(path, "w") as held:
        held.writestr("config.json", json.dumps({"class_name": "Functional", "module": "keras", "config": [part]}))
    from mlpipeline.learning.network import files

    with pytest.raises(errors.DataFault, match="not loaded unasked"):
        files.load(path, {})
    path.write_bytes(b"PK no zip")
    with pytest.raises(errors.DataFault, match="damaged"):
        files.load(path, {})


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"epochs": 0}, "epochs is 0: it must be a whole number, 1 or more"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"sequence_embedding": "lstn"}, "Did you mean 'lstm'"),
        ({"monitor": "val_loss"}, "no rows to validate by"),
        ({"monitor": "train_lss"}, "Did you mean 'train_loss'"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"layer_shrink": -1}, "layer_shrink is -1"),
        ({"device": "tpu"}, "must be one of cpu, gpu"),
        ({"patience": -1}, "patience is -1"),
    ],
)
def test_parameters_that_cannot_be_used(params: dict[str, Any], match: str) -> None:
    with pytest.raises((errors.ParameterError, errors.UnknownOption), match=match):
        Keras(**params).fit(*line())


def test_a_gpu_that_is_not_there_is_said_so() -> None:
    from mlpipeline.learning.network.runtime import libraries

    if libraries().tf.config.list_physical_devices("GPU"):
        pytest.skip("there is one")
    with pytest.raises(errors.ParameterError, match="device is 'gpu', and TensorFlow sees none"):
        Keras(device="gpu").fit(*line())


def test_an_activation_of_the_output_is_for_numbers() -> None:
    x, y = line()
    assert (Keras(**SMALL, epochs=1, output_activation="softplus").fit(x, y).predict(x) >= 0).all()
    with pytest.raises(errors.ParameterError, match="classes need probabilities"):
        Keras(output_activation="softplus").fit(x, y > 0)


def test_rows_of_a_class_that_was_not_shown_are_not_validated_by() -> None:
    x, value = line()
    y = (value > 0).astype(int)
    other = np.where(np.arange(64) % 2, y, 7)
    keras = Keras(**SMALL, epochs=1).fit(x, y, validation=(x, other))
    odd = np.arange(64) % 2 == 1
    expected = keras.evaluate(x[odd], y[odd])["log_loss"]
    np.testing.assert_allclose(keras.history_["validation_loss"], [expected], rtol=1e-4)


def test_encoders_in_another_order_than_the_columns() -> None:
    frame = pd.DataFrame({"a": ["x", "y"] * 20, "b": np.arange(40.0), "y": np.arange(40.0)})
    encoding = Encoding([Unique("a"), Norm("b")], Norm("y"))
    encoding.fit(lambda names: frame)
    x, y = encoding.observations(frame)
    keras = Keras(**SMALL, epochs=2).fit(x[["norm_b", "unique_a"]], y, encoding=encoding)
    np.testing.assert_array_equal(keras.predict(x), keras.predict(x[["norm_b", "unique_a"]]))
