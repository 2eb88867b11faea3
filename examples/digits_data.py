"""The handwritten digits that the other examples learn to read, and the order in which they see them.

There is no MODEL here, so the queue never runs this file. The models directory is on the path: the others
`import digits_data`, and because they do, an edit of this file makes their results stale as well.

The data is what `sklearn.datasets.load_digits` returns: 1,797 digits of 8 x 8 pixels. It is read from the file that
scikit-learn ships, without importing scikit-learn, which would take longer than the small examples train.
"""

import gzip
import importlib.util
from functools import cache, lru_cache
from itertools import count
from pathlib import Path

import numpy as np

from mlpipeline import DataLoader

EVERY = 5  # of each class, every fifth digit is held out


@cache
def read():
    """Returns all images, shape (1797, 64), between 0 and 1, and their labels."""
    sklearn = importlib.util.find_spec("sklearn")  # finds a package without importing it
    if sklearn is None:
        raise ImportError("the digits ship with scikit-learn: pip install 'mlpipeline[sklearn]'")
    file = Path(sklearn.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    with gzip.open(file, "rt") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.int64)
    return (table[:, :-1] / 16).astype("float32"), table[:, -1]


@cache
def split():
    """Returns (images, labels) to train on and (images, labels) held out, the same ones on every machine.

    The split is stratified: both parts hold each digit in the same proportion.
    """
    images, labels = read()
    rank = np.empty(len(labels), dtype=int)  # 0 for the first image of its class, 1 for the second, ...
    for digit in np.unique(labels):
        rank[labels == digit] = np.arange(np.sum(labels == digit))
    held_out = rank % EVERY == EVERY - 1
    return (images[~held_out], labels[~held_out]), (images[held_out], labels[held_out])


class Digits(DataLoader):
    """What feeds a model: two inputs and their sizes.

    The queue counts steps by them: a version of 30 epochs and batches of 32 trains 30 * 1442 / 32 steps, rounded up.
    """

    def get_train_input(self, mode=None, **options):
        """Returns images and labels to train on; with mode TEST they are evaluated, here the same ones."""
        return split()[0]

    def get_test_input(self, **options):
        """Returns images and labels that are held out."""
        return split()[1]

    def get_train_sample_count(self):
        return len(split()[0][1])

    def get_test_sample_count(self):
        return len(split()[1][1])

    def get_dataloader_summery(self, **options):
        """Returns what the block of results says of the data."""
        return (
            f"digits of scikit-learn: {self.get_train_sample_count()} to train, {self.get_test_sample_count()} held out"
        )


@lru_cache(maxsize=2)
def order(samples, seed, epoch):
    """Returns the shuffled indices of one epoch."""
    return np.random.default_rng([seed, epoch]).permutation(samples)


def batches(samples, batch_size, seed, start=0):
    """Yields the indices of batch `start` and of all that follow, without end.

    A batch depends on its number and the seed alone: a resumed training sees what an uninterrupted one would have seen.
    """
    for number in count(start):
        epochs, places = np.divmod(np.arange(number * batch_size, (number + 1) * batch_size), samples)
        yield np.concatenate([order(samples, seed, epoch)[places[epochs == epoch]] for epoch in np.unique(epochs)])
