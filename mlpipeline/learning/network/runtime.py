"""TensorFlow and Keras: imported on first use, and quietly."""

from __future__ import annotations

import functools
import logging
import os
import random
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple

from mlpipeline import errors

DEVICES = ("cpu", "gpu")
_EXTRA = "tensorflow-cpu"
# What TensorFlow says of itself on every import, before it can be told how much to say.
_GREETINGS = (b"WARNING: All log messages before absl::InitializeLog()", b"I0000 ")
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}


class Libraries(NamedTuple):
    """The two modules, loaded."""

    keras: Any
    tf: Any


@functools.cache
def libraries() -> Libraries:
    """Imports both.

    Raises:
        MissingExtra: TensorFlow is not installed.
        ParameterError: Keras has been told to run on something else.
    """
    with _environment(), _without_greetings():
        tf = errors.require("tensorflow", extra=_EXTRA)
        keras = errors.require("keras", extra=_EXTRA)
    if keras.backend.backend() != "tensorflow":
        raise errors.ParameterError(
            f"Keras runs on {keras.backend.backend()} in this process: set KERAS_BACKEND=tensorflow before it starts"
        )
    tf.get_logger().addFilter(_is_needed)
    return Libraries(keras, tf)


def _is_needed(record: logging.LogRecord) -> bool:
    """Whether a message is more than that a program has trained several networks, each of which is traced once."""
    told = record.getMessage()
    return "TensorFlowTrainer" not in told or "triggered tf.function retracing" not in told


def placed(device: str | None) -> AbstractContextManager[Any]:
    """Returns a context in which networks are built and used on a device; where TensorFlow likes for None.

    Raises:
        ParameterError: there is no such device here.
    """
    if device is None:
        return nullcontext()
    tf = libraries().tf
    if not tf.config.list_physical_devices(device.upper()):
        raise errors.ParameterError(
            f"device is {device!r}, and TensorFlow sees none here: use device='cpu', or see what `nvidia-smi` says, "
            f"and whether tensorflow is installed rather than tensorflow-cpu"
        )
    placing: AbstractContextManager[Any] = tf.device(f"/{device.upper()}:0")
    return placing


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Makes what is built within it the same each time; the program's own random numbers go on as if nothing was.

    Keras takes the seeds of initializers, and of layers that draw, from Python's generator.
    """
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


@contextmanager
def writing() -> Iterator[None]:
    """Silences what NumPy says of how TensorFlow hands over tensors while Keras writes them: they are to mend it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy", DeprecationWarning)
        yield


@contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _QUIET}
    os.environ.update({name: value for name, value in _QUIET.items() if before[name] is None})
    try:
        yield
    finally:
        for name in [each for each, value in before.items() if value is None]:
            os.environ.pop(name, None)


@contextmanager
def _without_greetings() -> Iterator[None]:
    """Holds back what is written to the process's error stream by any language, and lets through all but greetings."""
    if "tensorflow" in sys.modules:
        yield
        return
    with tempfile.TemporaryFile() as held:
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            os.write(2, b"".join(line for line in held if not line.startswith(_GREETINGS)))
