"""Writes data/train.csv: visits to a doctor in a year, and what people are insured for.

It is the table "randhie" of statsmodels, every fifth row of it: the RAND Health Insurance Experiment, 20,190
person-years (public domain).
"""

from __future__ import annotations

from pathlib import Path

from statsmodels.datasets import randhie

COLUMNS = {
    "mdvis": "visits",
    "lncoins": "log_coinsurance",
    "idp": "individual_deductible",
    "lpi": "log_participation_payment",
    "fmde": "log_maximum_expenditure",
    "physlm": "physical_limitation",
    "disea": "chronic_diseases",
}
HEALTH = {"hlthg": "good", "hlthf": "fair", "hlthp": "poor"}


def main() -> None:
    """Writes the file; how healthy people call themselves is one column of words."""
    table = randhie.load_pandas().data.iloc[::5]
    health = (
        table[list(HEALTH)].rename(columns=HEALTH).idxmax(axis=1).where(table[list(HEALTH)].any(axis=1), "excellent")
    )
    Path("data").mkdir(exist_ok=True)
    table[list(COLUMNS)].rename(columns=COLUMNS).assign(health=health).to_csv("data/train.csv", index=False)
    print(f"data/train.csv: {len(table)} person-years")


if __name__ == "__main__":
    main()
