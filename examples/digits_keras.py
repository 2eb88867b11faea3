"""Reads handwritten digits with a convolutional network in Keras on TensorFlow.

The longest of the examples: about ten seconds a version, half of them to import TensorFlow. What to see here:

- `.grid(...)` adds a version for every combination, four here, named like `filters=8,dropout=0.2`.
- TensorFlow is imported in `pre_execution_hook`, not at the top: the file is imported once more to be described, and
  that stays quick so.
- A checkpoint is the whole network, the optimizer's state included. A training that was interrupted goes on with the
  very next batch, and ends with the same weights as if nothing had happened.
  Try it: `mlpipeline -r -u digits_keras.py`, press Ctrl-C while it trains, and start it again.
"""

import os

from digits_data import Digits, batches

from mlpipeline import Model, Versions

CHECKPOINT = "network.keras"  # Keras chooses the format by the ending


class Network(Model):
    """Two convolutions and a hidden layer."""

    def pre_execution_hook(self, version, model_dir, exec_mode=None):
        """Loads the network of the last checkpoint, or builds a new one."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before the import: TensorFlow greets at length otherwise
        import keras

        keras.utils.set_random_seed(self.run.seed)  # each replicate has a seed of its own
        self.network = self.run.restore(keras.saving.load_model)
        if self.network is None:
            self.network = build(version)
        # Keras saves all but where its random generators stand. Dropout draws once a batch, so that can be told.
        generator = self.network.get_layer("dropout").seed_generator
        generator.state.assign([self.run.seed, self.get_trained_step_count()])

    def get_trained_step_count(self):
        """Returns how many batches the network has seen; the queue takes them off the steps that are left."""
        return int(self.network.optimizer.iterations)

    def train_model(self, input_fn, steps):
        """Trains for so many batches. `input_fn` is what the loader's `get_train_input` returned."""
        images, labels = input_fn
        batch_size = self.current_version["batch_size"]
        chosen = batches(len(labels), batch_size, self.run.seed, start=self.get_trained_step_count())
        for batch in self.run.steps(chosen, total=steps, description="keras"):
            self.network.reset_metrics()  # else Keras returns the mean of all batches so far
            metrics = self.network.train_on_batch(images[batch], labels[batch], return_dict=True)
            self.run.record(metrics)
            self.run.checkpoint(self.network.save, name=CHECKPOINT, every_seconds=2)
        self.run.checkpoint(self.network.save, name=CHECKPOINT)

    def evaluate_model(self, input_fn, steps):
        """Returns loss and accuracy; called with the train input, then with the held-out one."""
        images, labels = input_fn
        self.network.reset_metrics()
        return self.network.test_on_batch(images[:steps], labels[:steps], return_dict=True)

    def post_execution_hook(self, version, model_dir, exec_mode=None):
        """Adds a line to the block of results."""
        self.add_to_summary(f"convolutional network of {self.network.count_params()} weights")


def build(version):
    """Makes a network as the version wants it."""
    import keras
    from keras import layers

    network = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Reshape((8, 8, 1)),
            layers.Conv2D(version["filters"], 3, activation="relu", padding="same"),
            layers.Conv2D(2 * version["filters"], 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(version["dropout"], name="dropout"),
            layers.Dense(10),
        ]
    )
    network.compile(
        optimizer=keras.optimizers.Adam(version["learning_rate"]),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # compiling a network as small as this takes longer than it saves
    )
    return network


versions = Versions(dataloader=Digits(), batch_size=32, epochs=20, learning_rate=0.002)
versions.grid(filters=[8, 16], dropout=[0.2, 0.4])

MODEL = Network(versions)
