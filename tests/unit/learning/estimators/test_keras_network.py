"""The form of the networks that encoders make."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
from mlpipeline.data.encoders import NestedNorm, NestedUnique, OneHot, Pass, Token, Unique
from mlpipeline.learning.estimators import Keras
from mlpipeline.learning.network import layers
from mlpipeline.learning.network.features import features_of
from mlpipeline.learning.network.feed import Feed
from mlpipeline.learning.network.runtime import seeded
from mlpipeline.learning.target import Kind, Target

from .keras_rows import encoded, every_encoder, people

pytestmark = pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="tensorflow is not installed")

NUMBER = Target(kind=Kind.REGRESSION)


def built(
    encoders: Sequence[Any], frame: pd.DataFrame, target: Target = NUMBER, **params: Any
) -> tuple[Any, tuple[np.ndarray, ...]]:
    """Returns a network that has learnt nothing, and its inputs for the frame."""
    encoding, (x, _) = encoded(frame, encoders)
    keras = Keras(**{"hidden_width": 4, "hidden_layers": 1, **params})
    features = features_of(encoding, list(x.columns), masked=keras.sequence_embedding != "flatten")
    feed = Feed(features, list(x.columns))
    with seeded(3):
        network = keras.build(features, target)
    return network, feed.split(*feed.packed(x))


def kinds(network: Any) -> list[str]:
    return [type(layer).__name__ for layer in network.layers]


def joined_width(network: Any) -> int:
    return int(network.get_layer("0_features").output.shape[-1])


WORDS = pd.DataFrame(
    {
        "a": ["x", "y", "z"], "b": ["u", "v", "u"], "c": ["p q r", "p", "q q"],
        "a_twin": ["y", "y", "z"], "b_twin": ["u", "u", "u"], "c_twin": ["p", "", "r q p"],
        "user": ["1", "2", "3"], "price": [1.5, 2.5, 0.0], "list": [["m"], ["n", "m", "n"], []],
        "other": [["m", "n", "m", "m"], ["n"], []], "sizes": [[1.0], [2.0, 3.0], []],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("encoders", "width"),
    [
        ([Token("c", sequence_length=3), Unique("a"), Unique("b")], 50),
        (
            [
                Unique("a", twin=True),
                Unique("b", twin=True),
                Token("c", sequence_length=3, twin=True),
                Unique("user"),
                Pass("price"),
            ],
            111,
        ),
        ([NestedUnique("list"), NestedUnique("other")], 70),
        ([NestedNorm("sizes", sequence_length=3), Unique("a", embed_scale=2), OneHot("b"), Pass("price")], 53),
    ],
)
def test_what_is_side_by_side_before_the_hidden_layers(encoders: list[Any], width: int) -> None:
    network, inputs = built(encoders, WORDS)
    assert joined_width(network) == width
    assert len(network.inputs) == len(inputs) == sum(1 + each.twin for each in encoders)
    assert tuple(network(list(inputs)).shape) == (3, 1)


def test_hidden_layers_have_the_widths_asked_for() -> None:
    network, _ = built([Unique("a")], WORDS, hidden_width=100, hidden_layers=3, dropout=0.5, batch_norm=True)
    assert [layer.units for layer in network.layers if "hidden" in layer.name] == [100, 50, 25]
    assert kinds(network)[-10:] == [*["Dense", "BatchNormalization", "Dropout"] * 3, "Dense"]


@pytest.mark.parametrize("how", ["lstm", "gru", "simple_rnn"])
def test_recurrent_layers_walk_along_time(how: str) -> None:
    network, inputs = built([Token("c"), NestedNorm("sizes")], WORDS, sequence_embedding=how, sequence_embed_size=7)
    assert network.get_layer("0_embed_token_c").output.shape == (None, 3, 10)
    assert network.get_layer("0_embed_nested_norm_sizes").output.shape == (None, 2, 10)
    layer = network.get_layer(f"0_{how}_token_c")
    gates = {"lstm": 4, "gru": 3, "simple_rnn": 1}[how]
    # Were positions side by side, its input would be 30 wide.
    assert layer.weights[0].shape == (10, 7 * gates)
    assert layer.output.shape == (None, 7)
    assert joined_width(network) == 14
    assert tuple(network(list(inputs)).shape) == (3, 1)


@pytest.mark.parametrize("how", ["lstm", "gru", "simple_rnn"])
@pytest.mark.parametrize(
    "kind", [lambda length: Token("c", length), lambda length: NestedNorm("sizes", length)], ids=["token", "norm"]
)
def test_what_fills_up_short_rows_is_skipped(how: str, kind: Any) -> None:
    short, narrow = built([kind(3)], WORDS, sequence_embedding=how, hidden_layers=0)
    long, wide = built([kind(9)], WORDS, sequence_embedding=how, hidden_layers=0)
    long.set_weights(short.get_weights())
    np.testing.assert_allclose(np.asarray(short(list(narrow))), np.asarray(long(list(wide))), atol=1e-6)
    # An empty row is as if nothing came, and differs from the others.
    assert len(np.unique(np.asarray(long(list(wide))).round(5))) == 3


def test_order_counts_and_padding_does_not_come_first() -> None:
    words = pd.DataFrame({"c": ["p q r", "r q p", "q p r"]})
    network, inputs = built([Token("c")], words, sequence_embedding="gru", hidden_layers=0)
    assert len(np.unique(np.asarray(network(list(inputs))).round(6))) == 3


@pytest.mark.parametrize("how", ["flatten", "gru"])
def test_twins_share_their_layers(how: str) -> None:
    alone, _ = built([Token("c", sequence_length=3)], WORDS, sequence_embedding=how)
    twins, inputs = built([Token("c", sequence_length=3, twin=True)], WORDS, sequence_embedding=how)
    embed = twins.get_layer("0_embed_token_c")
    assert len(embed._inbound_nodes) == 2
    assert len({tuple(node.output_tensors[0].shape) for node in embed._inbound_nodes}) == 1
    shared = [layer for layer in twins.layers if "token" in layer.name and layer.weights]
    # One of each, as without a twin, of the same number of weights.
    before = [layer for layer in alone.layers if "token" in layer.name and layer.weights]
    assert [each.count_params() for each in shared] == [each.count_params() for each in before]

    twins.compile(optimizer="sgd", loss="mse", jit_compile=False, run_eagerly=True)
    was = embed.get_weights()[0].copy()
    silent = [inputs[0], np.zeros_like(inputs[1])]
    twins.train_on_batch(silent, np.ones((3, 1)))
    assert not np.array_equal(embed.get_weights()[0], was), "a step on one twin changes what the other goes through"


def test_towers_are_copies_with_weights_of_their_own() -> None:
    one, _ = built([Unique("a"), Pass("price")], WORDS)
    three, inputs = built([Unique("a"), Pass("price")], WORDS, towers=3)
    assert three.count_params() == 3 * one.count_params()
    assert (len(three.outputs), len(three.inputs)) == (3, 2)
    each = [np.asarray(found) for found in three(list(inputs))]
    assert not np.array_equal(each[0], each[1])
    mean = np.asarray(layers.mean_of(three)(list(inputs)))
    np.testing.assert_allclose(mean, np.mean(each, axis=0), rtol=1e-6)


@pytest.mark.parametrize(
    ("target", "units", "activation"),
    [
        (NUMBER, 1, "linear"),
        (Target(kind=Kind.REGRESSION, columns=3), 3, "linear"),
        (Target(kind=Kind.BINARY, classes=np.array([0, 1])), 1, "sigmoid"),
        (Target(kind=Kind.MULTICLASS, classes=np.arange(4)), 4, "softmax"),
    ],
)
def test_the_last_layer_is_as_the_target(target: Target, units: int, activation: str) -> None:
    network, _ = built([Unique("a")], WORDS, target)
    assert (network.layers[-1].units, network.layers[-1].activation.__name__) == (units, activation)


def test_all_kinds_of_encoders_in_one_network(tmp_path: Path) -> None:
    frame = people()
    encoding, (x, y) = encoded(frame, every_encoder(tmp_path / "vectors.txt"), OneHot("answer"))
    keras = Keras(
        hidden_width=4, hidden_layers=1, epochs=1, sequence_embedding="gru", batch_norm=True, kernel_initializer="ones"
    )
    keras.fit(x, y, encoding=encoding, validation=(x, y))
    assert keras.target_.kind == "multiclass"
    assert keras.predict(x).shape == (60, 3)
    assert (keras.predict(x).sum(axis=1) == 1).all()
    assert keras.predict_proba(x).shape == (60, 3)
    # One row by itself is what it is among others.
    np.testing.assert_allclose(keras.predict_proba(x.iloc[7:8]), keras.predict_proba(x)[7:8], atol=1e-6)
    assert "0_embed_unique_word" in keras.description
    assert f"{keras.network_.count_params():,} weights" in keras.description
    if importlib.util.find_spec("matplotlib") is not None:
        assert keras.plot(tmp_path / "network.png").read_bytes()[:4] == b"\x89PNG"


def test_what_is_no_network_is_refused() -> None:
    class Nothing(Keras):
        def build(self, features: Any, target: Target) -> Any:
            return None

    with pytest.raises(errors.DataFault, match=r"keras.Model\(inputs, outputs\)"):
        Nothing().fit(np.ones((4, 1)), np.arange(4.0))


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"optimizer": "adm"}, "Did you mean 'Adam'"),
        ({"loss": "mean_square_error"}, "Did you mean 'mean_squared_error'"),
        ({"hidden_activation": "rellu"}, "Did you mean 'relu'"),
        ({"kernel_initializer": "glorot"}, "kernel_initializer is 'glorot'"),
        ({"hidden_kernel_regularizer": "l3"}, "hidden_kernel_regularizer is 'l3'"),
        ({"optimizer": {"class_name": "Adam", "config": {"learnin_rate": 1}}}, "Keras refuses"),
    ],
)
def test_what_keras_does_not_know_is_refused(params: dict[str, Any], match: str) -> None:
    with pytest.raises((errors.UnknownOption, errors.ParameterError), match=match):
        Keras(hidden_width=2, hidden_layers=1, epochs=1, **params).fit(np.ones((4, 1)), np.arange(4.0))
