"""Divides, encodes and learns from so many rows, in memory or as a stream: `stream_rows.py ROWS HOW DIRECTORY`."""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import SGDClassifier

from mlpipeline.data import Streaming, TrainTestSplit
from mlpipeline.data.encoders import Boolean, Norm, Quantile, Unique

CHUNK, BATCH, EPOCHS = 500_000, 65_536, 3
NAMES = np.array([f"city {number}" for number in range(5000)])


def chunks(rows):
    """Yields rows of two numbers, a count, a text and a label, made anew from their place."""
    for begin in range(0, rows, CHUNK):
        random, count = np.random.default_rng(begin), min(CHUNK, rows - begin)
        price, age = random.gamma(2.0, 10.0, count), random.normal(40, 12, count)
        yield pd.DataFrame(
            {
                "price": np.where(random.random(count) < 0.02, np.nan, price),
                "age": age,
                "visits": random.poisson(3, count),
                "city": pd.Series(NAMES[random.integers(0, len(NAMES), count)], dtype="str"),
                "bought": random.random(count) < 1 / (1 + np.exp((40 - age) / 10)),
            }
        )


class Sales:
    """What both kinds of dataset share."""

    def get_encoders(self):
        return Norm("price"), Norm("age"), Quantile("visits"), Unique("city")

    def get_output_encoder(self):
        return Boolean("bought")


class InMemory(Sales, TrainTestSplit):
    def get_data(self):
        return pd.concat(chunks(int(sys.argv[1])), ignore_index=True)

    def epoch(self):
        x, y = self.encoded_training_data
        for begin in range(0, len(x), BATCH):
            yield x.iloc[begin : begin + BATCH], y[begin : begin + BATCH]


class Streamed(Sales, Streaming):
    def get_data(self):
        yield from chunks(int(sys.argv[1]))

    def epoch(self):
        yield from self.batches("training", BATCH)


def timed(marks, name, work):
    """Notes how long a piece of work took."""
    begin = time.perf_counter()
    result = work()
    marks[name] = time.perf_counter() - begin
    return result


def learn(dataset, model):
    """Learns from all batches once and returns how many rows there were."""
    rows = 0
    for x, y in dataset.epoch():
        model.partial_fit(x.to_numpy(np.float32), y, classes=[0, 1])
        rows += len(y)
    return rows


def main():
    """Measures, and prints seconds, rows and the peak of resident memory."""
    dataset = InMemory() if sys.argv[2] == "memory" else Streamed(spool_dir=Path(sys.argv[3], "spools"))
    model, marks = SGDClassifier(loss="log_loss", random_state=0), {}
    timed(marks, "rows", lambda: dataset.row_counts)
    timed(marks, "fit encoders", lambda: dataset.encoding)
    for number in range(EPOCHS):
        rows = timed(marks, f"epoch {number + 1}", lambda: learn(dataset, model))
    timed(marks, "batches alone", lambda: sum(len(y) for _, y in dataset.epoch()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"marks": marks, "rows": rows, "peak_mb": peak}))


main()
