"""The kinds of encoders: numbers, codes and sequences of codes out of a column, and back."""

from __future__ import annotations

from mlpipeline import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.data.encoders.binned import Discrete, Quantile
    from mlpipeline.data.encoders.continuous import Norm, Pass, Uniform
    from mlpipeline.data.encoders.flags import Boolean, Equals
    from mlpipeline.data.encoders.middle_out import MiddleOut
    from mlpipeline.data.encoders.nested import NestedNorm, NestedUnique
    from mlpipeline.data.encoders.one_hot import OneHot
    from mlpipeline.data.encoders.static import Static
    from mlpipeline.data.encoders.tokens import Token
    from mlpipeline.data.encoders.unique import Unique
    from mlpipeline.data.encoders.whole import Enum

__all__ = [
    "Boolean",
    "Discrete",
    "Enum",
    "Equals",
    "MiddleOut",
    "NestedNorm",
    "NestedUnique",
    "Norm",
    "OneHot",
    "Pass",
    "Quantile",
    "Static",
    "Token",
    "Uniform",
    "Unique",
]

_HOMES = {
    "Boolean": "flags",
    "Discrete": "binned",
    "Enum": "whole",
    "Equals": "flags",
    "MiddleOut": "middle_out",
    "NestedNorm": "nested",
    "NestedUnique": "nested",
    "Norm": "continuous",
    "OneHot": "one_hot",
    "Pass": "continuous",
    "Quantile": "binned",
    "Static": "static",
    "Token": "tokens",
    "Uniform": "continuous",
    "Unique": "unique",
}

__getattr__, __dir__ = lazily.names(__name__, _HOMES, extra="data")
