"""A network for a person to look at: a table of its layers, and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from mlpipeline import errors

_COLORS = {"InputLayer": "#d9e8f6", "Embedding": "#fde3c8", "Dense": "#dcefdc", "Dropout": "#eeeeee"}
_OTHER = "#efe3f5"


class Layer(NamedTuple):
    """One layer.

    Attributes:
        depth: how many layers lie between it and the inputs, at most.
        before: the names of the layers that feed it.
    """

    name: str
    kind: str
    shape: str
    weights: int
    depth: int
    before: tuple[str, ...]


def layers_of(network: Any) -> list[Layer]:
    """Returns the layers in the order of their computation."""
    found: dict[str, Layer] = {}
    for layer in network.layers:
        before = tuple(dict.fromkeys(each for node in _nodes(network, layer) for each in node))
        depth = 1 + max((found[each].depth for each in before if each in found), default=-1)
        shape = " x ".join("rows" if each is None else str(each) for each in _shape(layer))
        found[layer.name] = Layer(layer.name, type(layer).__name__, shape, layer.count_params(), depth, before)
    return list(found.values())


def table(network: Any) -> str:
    """Returns a line for each layer, and the number of all weights."""
    rows = [("layer", "kind", "output", "weights")]
    rows += [(each.name, each.kind, each.shape, f"{each.weights:,}") for each in layers_of(network)]
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)), row[3].rjust(widths[3])])
        for row in rows
    ]
    return "\n".join([*lines, f"{network.count_params():,} weights"])


def draw(network: Any, path: Path) -> Path:
    """Draws a network from left to right: a box for each layer, an arrow where one feeds another.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    pictures = errors.require("matplotlib.figure", extra="explain")
    layers = layers_of(network)
    places = _places(layers)
    columns, rows = 1 + max(x for x, _ in places.values()), 1 + max(abs(y) for _, y in places.values()) * 2
    figure = pictures.Figure(figsize=(min(40, 2.6 * columns), min(40, max(2.0, 0.8 * rows))), layout="constrained")
    axes = figure.subplots()
    axes.axis("off")
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(-rows / 2, rows / 2)
    axes.set_title(f"{network.count_params():,} weights", loc="left", fontsize=10)
    boxes = {layer.name: _box(axes, layer, places[layer.name]) for layer in layers}
    for layer in layers:
        _arrows(axes, layer, places, boxes)
    figure.savefig(path, dpi=110)
    return path


def _places(layers: list[Layer]) -> dict[str, tuple[float, float]]:
    """Returns where the middle of each layer lies: columns by depth, in the order of what feeds them."""
    places: dict[str, tuple[float, float]] = {}
    for depth in range(1 + max(each.depth for each in layers)):
        column = [each for each in layers if each.depth == depth]
        wanted = {each.name: _mean([places[name][1] for name in each.before if name in places]) for each in column}
        column.sort(key=lambda each: -wanted[each.name])
        for place, each in enumerate(column):
            places[each.name] = (float(depth), (len(column) - 1) / 2 - place)
    return places


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _box(axes: Any, layer: Layer, place: tuple[float, float]) -> Any:
    style = {"boxstyle": "round,pad=0.35", "facecolor": _COLORS.get(layer.kind, _OTHER), "edgecolor": "#777777"}
    weights = f", {layer.weights:,} weights" if layer.weights else ""
    name = layer.name if len(layer.name) <= 28 else f"{layer.name[:27]}…"
    text = f"{name}\n{layer.kind}{weights}\n{layer.shape}"
    return axes.text(*place, text, ha="center", va="center", fontsize=7, bbox=style).get_bbox_patch()


def _arrows(axes: Any, layer: Layer, places: dict[str, tuple[float, float]], boxes: dict[str, Any]) -> None:
    for name in layer.before:
        ends = {"patchA": boxes[name], "patchB": boxes[layer.name], "shrinkA": 1, "shrinkB": 1}
        arrow = {"arrowstyle": "-|>", "color": "#999999", **ends}
        axes.annotate("", xy=places[layer.name], xytext=places[name], arrowprops=arrow, zorder=1)


def _nodes(network: Any, layer: Any) -> list[list[str]]:
    """Returns, for each time the network calls a layer, the names of the layers that feed it."""
    own = {each.name for each in network.layers}
    called = [[each._keras_history.operation.name for each in node.input_tensors] for node in layer._inbound_nodes]
    # What masks are made of lies between layers, and is none.
    return [[name for name in names if name in own] for names in called]


def _shape(layer: Any) -> tuple[int | None, ...]:
    # A layer that is shared has an output for each call, all of one shape.
    output = layer._inbound_nodes[0].output_tensors[0]
    shape: tuple[int | None, ...] = tuple(output.shape)
    return shape
