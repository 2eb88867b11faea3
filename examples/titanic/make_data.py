"""Writes data/train.csv and data/eval.csv: the passengers of the Titanic, as scikit-learn carries them for its tests.

It is the table "titanic", version 1, of openml.org (public domain), 1,309 passengers. No network is needed.
"""

from __future__ import annotations

import csv
import gzip
from importlib.resources import files
from pathlib import Path

import pandas as pd

SOURCE = files("sklearn.datasets.tests.data.openml.id_40945") / "data-v1-dl-16826755.arff.gz"
# Boat, body and destination were known afterwards; a name, a ticket and a cabin are one passenger's own.
LEARNABLE = ["survived", "pclass", "sex", "age", "sibsp", "parch", "fare", "embarked"]
TEXT = ["sex", "embarked"]


def passengers() -> pd.DataFrame:
    """Returns the table, of shape (1309, 8)."""
    with gzip.open(SOURCE.open("rb"), "rt", encoding="utf-8") as file:
        text = file.read().splitlines()
    start = text.index("@data") + 1
    columns = [line.split()[1].strip("'") for line in text[:start] if line.startswith("@attribute")]
    rows = list(csv.reader(line for line in text[start:] if line))
    table = pd.DataFrame(rows, columns=columns).replace("?", None)[LEARNABLE]
    numbers = [name for name in LEARNABLE if name not in TEXT]
    return table.assign(**{name: pd.to_numeric(table[name]) for name in numbers})


def main() -> None:
    """Writes both files; one passenger in five is kept for later."""
    table = passengers()
    later = table.sample(frac=0.2, random_state=0).sort_index()
    Path("data").mkdir(exist_ok=True)
    table.drop(index=later.index).to_csv("data/train.csv", index=False)
    later.to_csv("data/eval.csv", index=False)
    print(f"data/train.csv: {len(table) - len(later)} passengers; data/eval.csv: {len(later)}")


if __name__ == "__main__":
    main()
