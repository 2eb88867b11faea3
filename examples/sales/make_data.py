"""Writes data/sales.csv: what the makers of electrical equipment in the European Union sold, month by month.

It is the table "elec_equip" of statsmodels: an index of their turnover, January 1995 to May 2016, by the European
Central Bank.
"""

from __future__ import annotations

from pathlib import Path

from statsmodels.datasets import elec_equip


def main() -> None:
    """Writes the file."""
    series = elec_equip.load_pandas().data.iloc[:, 0]
    Path("data").mkdir(exist_ok=True)
    series.rename_axis("month").rename("sales").round(2).to_csv("data/sales.csv")
    print(f"data/sales.csv: {len(series)} months")


if __name__ == "__main__":
    main()
