"""What scikit-learn asks of a transformer, answered without importing it: tags, names of outputs, frames as output."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from mlpipeline import errors


class Interop:
    """Makes an encoder work in pipelines, `ColumnTransformer`, `clone` and `set_output`."""

    is_stateless: ClassVar[bool]
    takes_text: ClassVar[bool]
    takes_arrays: ClassVar[bool] = True
    counts_classes: ClassVar[bool] = False
    refuses_negative: ClassVar[bool] = False
    _sklearn_output_config: dict[str, str]

    def fit_transform(self, frame: Any, y: Any = None) -> Any:
        """Fits, and returns the codes of the same rows."""
        return self.fit(frame, y).transform(frame)  # type: ignore[attr-defined]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Returns `feature_names` as an array of objects.

        Args:
            input_features: the names of what was fitted; nothing follows from them, their number is checked.
        """
        self._require_fit()  # type: ignore[attr-defined]
        names: tuple[str, ...] = self.feature_names  # type: ignore[attr-defined]
        count = vars(self).get("n_features_in_")
        if input_features is not None and count is not None and len(input_features) != count:
            raise errors.DataFault("input_features should have length equal to number of features")
        known = vars(self).get("feature_names_in_")
        if input_features is not None and known is not None and set(input_features) != set(known):
            raise errors.DataFault("input_features is not equal to feature_names_in_")
        return np.array(names, dtype=object)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Says what `transform` returns.

        Args:
            transform: `default` (an array) or `pandas` (a frame with the index of what is given); None changes nothing.
        """
        if transform not in (None, "default", "pandas"):
            raise errors.ParameterError(f"transform={transform!r}: an encoder gives 'default' or 'pandas'")
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def _dressed(self, codes: np.ndarray, index: pd.Index) -> Any:
        if vars(self).get("_sklearn_output_config", {}).get("transform") != "pandas":
            return codes
        names = list(self.feature_names)  # type: ignore[attr-defined]
        return pd.DataFrame(codes, index=index, columns=names, copy=False)

    def __sklearn_is_fitted__(self) -> bool:
        return self.is_stateless or "n_features_in_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        # Only scikit-learn calls this: what is imported is there.
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        takes = InputTags(
            two_d_array=self.takes_arrays,
            allow_nan=True,
            string=self.takes_text,
            categorical=self.counts_classes,
            positive_only=self.refuses_negative,
        )
        return Tags(
            estimator_type="transformer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=[]),
            input_tags=takes,
            requires_fit=not self.is_stateless,
        )
