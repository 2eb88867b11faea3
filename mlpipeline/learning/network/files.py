"""A network as a file of Keras's own format, read without running what it may hold."""

from __future__ import annotations

import importlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlpipeline import errors
from mlpipeline.learning.network.runtime import libraries, writing

FILE = "network.keras"
# Of Keras itself, and yet they run code that the file holds, or call what lies elsewhere.
_REFUSED = frozenset(("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"))
_VALUES = frozenset(("__keras_tensor__", "__tensor__", "__numpy__", "__tuple__", "__slice__", "__ellipsis__"))
"""What Keras writes in the same way, and is of no class."""


def save(network: Any, path: Path, custom: Mapping[str, type]) -> None:
    """Writes a network.

    Args:
        network: a keras.Model.
        path: ends with `.keras`.
        custom: the user's own layers by class name, which whoever loads it must have too.

    Raises:
        DataFault: it has a layer that `load` would refuse.
    """
    keras = libraries().keras
    with keras.saving.custom_object_scope(dict(custom)), writing():
        _check(keras.saving.serialize_keras_object(network), custom, str(path))
        network.save(path)


def load(path: Path, custom: Mapping[str, type]) -> Any:
    """Reads a network.

    Raises:
        DataFault: the file is damaged, or has layers that are neither Keras's own nor among those given.
    """
    keras = libraries().keras
    try:
        with zipfile.ZipFile(path) as held:
            config = json.loads(held.read("config.json"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise errors.DataFault(f"{path} is no network, or is damaged: {error}") from error
    _check(config, custom, str(path))
    with keras.saving.custom_object_scope(dict(custom)):
        try:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        except (TypeError, ValueError, OSError, KeyError) as error:
            said = str(error).strip().partition("\n")[0]
            raise errors.DataFault(f"{path} cannot be read by Keras {keras.__version__}: {said}") from error


def _check(config: Any, custom: Mapping[str, type], where: str) -> None:
    for each in _described(config):
        name, module = str(each["class_name"]), str(each.get("module"))
        if name not in custom and not _is_plain(name, module):
            raise errors.DataFault(
                f"{where}: the network has a part of the class '{name}' ({module}), which is not loaded unasked: name "
                f"the class in custom_objects of your subclass of Keras, or use a layer of Keras that holds no code"
            )


def _is_plain(name: str, module: str) -> bool:
    """Whether a part is a value, or of a class of Keras that runs nothing but what Keras brings."""
    if name in _VALUES:
        return True
    if name in _REFUSED or module.partition(".")[0] != "keras":
        return False
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError:
        return False
    return isinstance(found, type) and hasattr(found, "from_config")


def _described(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yields whatever in a configuration is made of a class."""
    if isinstance(config, Mapping):
        if "class_name" in config:
            yield config
        for value in config.values():
            yield from _described(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _described(value)
