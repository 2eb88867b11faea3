"""The layers of a network, from inputs to the last hidden one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mlpipeline import errors
from mlpipeline.learning.network.features import Feature, Role
from mlpipeline.learning.network.feed import PADDED, Feed
from mlpipeline.learning.network.runtime import libraries

FLATTEN = "flatten"
RECURRENT = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "SimpleRNN"}
SEQUENCE_EMBEDDINGS = (FLATTEN, *RECURRENT)


def hidden_widths(width: int, layers: int, shrink: float | None) -> list[int]:
    """Returns the width of each hidden layer.

    Args:
        width: of the first one.
        layers: how many there are.
        shrink: below 1 each width is that of the layer before, times this; from 1 up, minus this; None or 0: all alike.
    """
    widths = [float(width)]
    while len(widths) < layers:
        before = widths[-1]
        after = before if not shrink else before * shrink if shrink < 1 else before - shrink
        widths.append(max(1.0, after))
    return [int(each) for each in widths[:layers]]


def embedding_width(size: int, scale: float) -> int:
    """Returns the width that a feature is embedded in."""
    return max(1, round(size * scale))


def input_of(feature: Feature, name: str) -> Any:
    """Returns an input of (rows, columns of the feature)."""
    dtype = "int32" if feature.role is Role.CODE else "float32"
    return libraries().keras.Input((feature.width,), dtype=dtype, name=name)


def embedded(feature: Feature, inputs: Sequence[Any], width: int, prefix: str) -> list[Any]:
    """Embeds the inputs of a feature with one layer.

    Returns:
        a tensor for each input: of shape (rows, width), or (rows, time, width) for a sequence.
    """
    layers = libraries().keras.layers
    name = f"{prefix}_embed_{feature.name}"
    if feature.role is Role.CODE:
        embed = layers.Embedding(feature.cardinality, width, mask_zero=feature.is_masked, name=name)
        found = [embed(each) for each in inputs]
        return found if feature.is_sequence else _reshaped(found, (width,), f"{prefix}_flat_{feature.name}")
    dense = layers.Dense(width, activation="relu", name=name)
    if not feature.is_sequence:
        return [dense(each) for each in inputs]
    steps = _reshaped(inputs, (feature.width, 1), f"{prefix}_steps_{feature.name}")
    if feature.is_masked:
        masking = layers.Masking(mask_value=float(PADDED), name=f"{prefix}_mask_{feature.name}")
        steps = [masking(each) for each in steps]
    return [dense(each) for each in steps]


def _reshaped(tensors: Sequence[Any], shape: tuple[int, ...], name: str) -> list[Any]:
    layer = libraries().keras.layers.Reshape(shape, name=name)
    return [layer(each) for each in tensors]


def summed_up(feature: Feature, sequences: Sequence[Any], how: str, width: int, prefix: str) -> list[Any]:
    """Makes a vector of each sequence of (rows, time, width), with one layer for all of them.

    Args:
        feature: whose sequences they are.
        sequences: tensors.
        how: "flatten", which puts all positions side by side, or the name of a recurrent layer.
        width: of a recurrent layer.
        prefix: of the layer's name.
    """
    layers = libraries().keras.layers
    name = f"{prefix}_{how}_{feature.name}"
    layer = layers.Flatten(name=name) if how == FLATTEN else getattr(layers, RECURRENT[how])(width, name=name)
    return [layer(each) for each in sequences]


def side_by_side(parts: Sequence[Any], name: str) -> Any:
    """Returns tensors as one."""
    return parts[0] if len(parts) == 1 else libraries().keras.layers.Concatenate(name=name)(list(parts))


def mean_of(network: Any) -> Any:
    """Returns the network that predicts, of the same layers: with several outputs, their mean."""
    keras, outputs = libraries().keras, list(network.outputs)
    output = outputs[0] if len(outputs) == 1 else keras.layers.Average(name="mean")(outputs)
    return keras.Model(network.inputs, output, name="network")


def trainable_of(network: Any) -> Any:
    """Returns the network that is trained: with several outputs, all of them side by side."""
    outputs = list(network.outputs)
    if len(outputs) == 1:
        return network
    keras = libraries().keras
    return keras.Model(network.inputs, keras.layers.Concatenate(name="towers")(outputs), name="training")


def usable(network: Any) -> Any:
    """Returns a network that a user may have built.

    Raises:
        DataFault: it is none of inputs and outputs.
    """
    keras = libraries().keras
    if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
        raise errors.DataFault(f"build() returned {network!r}: it must be keras.Model(inputs, outputs)")
    return network


def function_of(network: Any, feed: Feed) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Returns what predicts from packed features; for one row, many times faster than keras.Model.predict."""
    tf = libraries().tf
    codes, numbers = feed.widths

    def predict(codes: Any, numbers: Any) -> Any:
        return network(list(feed.split(codes, numbers)), training=False)

    signature = [tf.TensorSpec((None, codes), tf.int32), tf.TensorSpec((None, numbers), tf.float32)]
    compiled = tf.function(predict, input_signature=signature).get_concrete_function()

    def predictor(codes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        found: np.ndarray = compiled(tf.constant(codes), tf.constant(numbers)).numpy()
        return found

    return predictor
