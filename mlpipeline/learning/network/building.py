"""How a network is built of the features and the parameters, in steps that a subclass may do otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlpipeline.learning.network import heads, layers
from mlpipeline.learning.network.features import Feature, Role
from mlpipeline.learning.network.runtime import libraries
from mlpipeline.learning.target import Target


class Buildable:
    """Builds networks; its attributes are the parameters of the estimator Keras."""

    embed_size: int
    sequence_embedding: str
    sequence_embed_size: int | None
    hidden_width: int
    hidden_layers: int
    layer_shrink: float | None
    hidden_activation: Any
    output_activation: Any
    kernel_initializer: Any
    hidden_kernel_regularizer: Any
    hidden_bias_regularizer: Any
    hidden_activity_regularizer: Any
    dropout: float
    batch_norm: bool
    towers: int

    def build(self, features: Sequence[Feature], target: Target) -> Any:
        """Returns a keras.Model of inputs and outputs, not compiled, with an output for each tower.

        Its inputs are those of `build_inputs`, in order. Outputs are of shape (rows, 1) for a number, and for two
        classes, where they are the probability of the second one; of shape (rows, classes) for more.
        """
        inputs = [(feature, self.build_inputs(feature)) for feature in features]
        outputs = []
        for tower in range(self.towers):
            parts = [part for feature, given in inputs for part in self._part(feature, given, tower)]
            joined = layers.side_by_side(parts, f"{tower}_features")
            outputs.append(self.build_output(self.build_hidden(joined, tower), target, tower))
        return libraries().keras.Model([one for _, given in inputs for one in given], outputs)

    def build_inputs(self, feature: Feature) -> list[Any]:
        """Returns the inputs of a feature: one for its column, and one for its twin if it has one."""
        return [layers.input_of(feature, name) for name in feature.inputs()]

    def build_embedding(self, feature: Feature, inputs: Sequence[Any], tower: int) -> list[Any]:
        """Embeds the inputs of a feature, all by one layer; a sequence becomes (rows, time, width)."""
        width = layers.embedding_width(self.embed_size, feature.embed_scale)
        return layers.embedded(feature, inputs, width, str(tower))

    def build_sequence(self, feature: Feature, embedded: Sequence[Any], tower: int) -> list[Any]:
        """Makes a vector of each embedded sequence, all by one layer."""
        width = layers.embedding_width(self.sequence_embed_size or self.embed_size, feature.embed_scale)
        return layers.summed_up(feature, embedded, self.sequence_embedding, width, str(tower))

    def build_hidden(self, joined: Any, tower: int) -> Any:
        """Puts all that was embedded, side by side, through the hidden layers."""
        kinds, options = libraries().keras.layers, self._hidden_options()
        for place, width in enumerate(layers.hidden_widths(self.hidden_width, self.hidden_layers, self.layer_shrink)):
            joined = kinds.Dense(width, name=f"{tower}_hidden_{place}", **options)(joined)
            if self.batch_norm:
                joined = kinds.BatchNormalization(name=f"{tower}_norm_{place}")(joined)
            if self.dropout:
                joined = kinds.Dropout(self.dropout, name=f"{tower}_dropout_{place}")(joined)
        return joined

    def build_output(self, hidden: Any, target: Target, tower: int) -> Any:
        """Returns the prediction of a tower."""
        keras = libraries().keras
        activation = heads.activation(target)
        if self.output_activation is not None:
            activation = heads.resolved(
                "output_activation", self.output_activation, keras.activations.get, keras.activations
            )
        return keras.layers.Dense(heads.units(target), activation=activation, name=f"{tower}_output")(hidden)

    def _part(self, feature: Feature, inputs: Sequence[Any], tower: int) -> list[Any]:
        if feature.role is Role.PASSED:
            return list(inputs)
        embedded = self.build_embedding(feature, inputs, tower)
        return self.build_sequence(feature, embedded, tower) if feature.is_sequence else embedded

    def _hidden_options(self) -> dict[str, Any]:
        keras = libraries().keras
        options = {}
        for kind in ("kernel", "bias", "activity"):
            name = f"hidden_{kind}_regularizer"
            found = heads.resolved(name, getattr(self, name), keras.regularizers.get, keras.regularizers)
            options[f"{kind}_regularizer"] = found
        initializer = heads.resolved(
            "kernel_initializer", self.kernel_initializer, keras.initializers.get, keras.initializers
        )
        # Of a configuration, since an initializer gives all layers the same numbers where it is one and the same.
        options["kernel_initializer"] = keras.initializers.serialize(initializer)
        options["activation"] = heads.resolved(
            "hidden_activation", self.hidden_activation, keras.activations.get, keras.activations
        )
        return options
