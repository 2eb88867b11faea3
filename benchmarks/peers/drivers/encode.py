"""Encodes a frame of ten columns in one of several ways; prints seconds, and the peak of memory beside the output."""

import gc
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

REAL = ("income", "height", "weight", "distance", "price")


def rows(count):
    """Makes the frame: numbers with missing ones, words of few, some and many kinds, a flag, a small number."""
    chance = np.random.default_rng(0)
    columns = {name: chance.normal(10, 3, count) for name in REAL}
    for name in REAL[:2]:
        columns[name][chance.random(count) < 0.01] = np.nan
    for name, kinds in (("city", 1_000), ("product", 50_000), ("weekday", 7)):
        words = np.array([f"{name} {number}" for number in range(kinds)], dtype=object)
        columns[name] = pd.Series(words[chance.integers(0, kinds, count)], dtype="str")
    columns["bought"] = chance.random(count) < 0.3
    columns["children"] = chance.integers(0, 9, count)
    return pd.DataFrame(columns)


class Ours:
    """Encoders of mlpipeline, one after another."""

    def __init__(self):
        from mlpipeline.data.encoders import Boolean, Discrete, Enum, Norm, OneHot, Quantile, Uniform, Unique

        real = [Norm("income"), Norm("height"), Uniform("weight"), Discrete("distance", bins=10), Quantile("price", 10)]
        others = [Unique("city", 5), Unique("product", 5), OneHot("weekday"), Boolean("bought"), Enum("children")]
        self.encoders = real + others

    def fit(self, frame):
        for each in self.encoders:
            each.fit(frame)

    def transform(self, frame):
        return [each.transform(frame) for each in self.encoders]


class ScikitLearn:
    """The like of them in a ColumnTransformer."""

    def __init__(self):
        self.transformer = self.made(self.words())

    def made(self, words):
        from sklearn.compose import ColumnTransformer
        from sklearn.preprocessing import KBinsDiscretizer, MinMaxScaler, OrdinalEncoder, StandardScaler

        seen = {"handle_unknown": "use_encoded_value", "unknown_value": -1, "encoded_missing_value": -2}
        bins = {"n_bins": 10, "encode": "ordinal", "subsample": None}
        return ColumnTransformer(
            [
                ("norm", StandardScaler(), ["income", "height"]),
                ("uniform", MinMaxScaler(clip=True), ["weight"]),
                ("discrete", KBinsDiscretizer(strategy="uniform", **bins), ["distance"]),
                ("quantile", KBinsDiscretizer(strategy="quantile", quantile_method="linear", **bins), ["price"]),
                *words,
                ("boolean", OrdinalEncoder(dtype=np.uint8), ["bought"]),
                ("enum", OrdinalEncoder(**seen), ["children"]),
            ]
        )

    def words(self):
        from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

        seen = {"handle_unknown": "use_encoded_value", "unknown_value": -1, "encoded_missing_value": -2}
        levels = OneHotEncoder(sparse_output=False, dtype=np.uint8, handle_unknown="ignore")
        return [
            ("unique", OrdinalEncoder(min_frequency=5, **seen), ["city", "product"]),
            ("one_hot", levels, ["weekday"]),
        ]

    def fit(self, frame):
        self.transformer.fit(frame)

    def transform(self, frame):
        return [self.transformer.transform(frame)]


class CategoryEncoders(ScikitLearn):
    """The same with category_encoders for the words."""

    def words(self):
        from category_encoders import OneHotEncoder, OrdinalEncoder

        return [("unique", OrdinalEncoder(), ["city", "product"]), ("one_hot", OneHotEncoder(), ["weekday"])]


class Apply:
    """Each value by itself, column by column, through pandas' apply."""

    def fit(self, frame):
        self.low, self.high = frame[[*REAL]].min(), frame[[*REAL]].max()
        self.mean, self.std = frame[[*REAL]].mean(), frame[[*REAL]].std(ddof=0)
        self.edges = frame["price"].quantile(np.linspace(0, 1, 11)).to_numpy()
        self.codes = {}
        for name in ("city", "product"):
            counts = frame[name].value_counts()
            self.codes[name] = {value: code for code, value in enumerate(sorted(counts[counts >= 5].index), 2)}
        self.levels = sorted(frame["weekday"].dropna().unique())

    def transform(self, frame):
        low, high, mean, std, edges = self.low, self.high, self.mean, self.std, self.edges

        def norm(name):
            least, most, middle, unit = low[name], high[name], mean[name], std[name]
            return lambda value: 0.0 if value != value else (min(max(value, least), most) - middle) / unit

        def unique(codes):
            missing = len(codes) + 2
            return lambda value: missing if value is None or value != value else codes.get(value, 1)

        def uniform(value, least=low["weight"], span=high["weight"] - low["weight"]):
            return 0.0 if value != value else min(max((value - least) / span, 0.0), 1.0)

        def discrete(value, least=low["distance"], span=high["distance"] - low["distance"]):
            return 10 if value != value else int(min(max((value - least) / span, 0.0), 1.0) * 9)

        def quantile(value):
            return 12 if value != value else max(0, np.searchsorted(edges, value) - 1)

        functions = {
            "income": norm("income"),
            "height": norm("height"),
            "weight": uniform,
            "distance": discrete,
            "price": quantile,
            "city": unique(self.codes["city"]),
            "product": unique(self.codes["product"]),
            "bought": lambda value: 2 if value != value else int(value != 0),
            "children": lambda value: value if 0 <= value <= 8 else 9,
        }
        levels = [frame["weekday"].apply(lambda value, level=level: int(value == level)) for level in self.levels]
        return [frame[name].apply(function).to_numpy() for name, function in functions.items()] + levels


WAYS = {"ours": Ours, "sklearn": ScikitLearn, "category_encoders": CategoryEncoders, "apply": Apply}


def memory(field):
    """Returns a figure of this process in bytes."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def main():
    """Fits, then encodes, once."""
    way, frame = WAYS[sys.argv[1]](), rows(int(sys.argv[2]))
    begin = time.perf_counter()
    way.fit(frame)
    fitted = time.perf_counter()
    way.transform(frame.iloc[:1000])
    gc.collect()
    # The peak that the kernel keeps is set back to what is held now.
    Path("/proc/self/clear_refs").write_text("5", "utf-8")
    held, start = memory("VmRSS"), time.perf_counter()
    codes = way.transform(frame)
    took = time.perf_counter() - start
    peak, output = memory("VmHWM") - held, sum(each.nbytes for each in codes)
    print(json.dumps({"fit": fitted - begin, "encode": took, "peak": peak, "output": output}))


main()
