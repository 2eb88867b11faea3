"""What replicates say of the best version and those after it, in words; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlpipeline.observe import statistics, text

if TYPE_CHECKING:
    from mlpipeline.observe.comparison import Comparison
    from mlpipeline.observe.comparison_rows import Row

LEVEL = 0.05
_MOST_RIVALS = 3


def sentences(found: Comparison) -> Iterator[str]:
    """Yields a sentence for the best version and each of the next ones with enough replicates in common."""
    if found.best is None:
        if found.metric and found.metric not in found.directions:
            yield f"Is more of '{found.metric}' better or worse? Say --direction maximize or minimize to see the best."
        return
    best, *others = [row for row in found.rows if row.is_eligible and row.mean(found.metric) is not None]
    rivals = others[:_MOST_RIVALS]
    if not rivals:
        return
    of_best = best.scores[found.metric].values
    tests = [(each, statistics.paired(of_best, each.scores[found.metric].values)) for each in rivals]
    known = [(rival, test) for rival, test in tests if test is not None]
    if not known:
        common = len(of_best.keys() & rivals[0].scores[found.metric].values.keys())
        yield (
            f"Not enough runs to say whether {best.label} beats {rivals[0].label}: "
            f"{text.many(common, 'seed')} in common, {statistics.ENOUGH} are needed: replicates={statistics.ENOUGH} "
            "behind the model in models.config trains them."
        )
        return
    corrected = statistics.holm([test.p for _, test in known])
    for (rival, test), p in zip(known, corrected, strict=True):
        yield _told(best, rival, found, test, p)
    if len(known) > 1:
        yield f"(Paired t-tests over seeds; p is corrected for {len(known)} comparisons, by Holm.)"


def _told(best: Row, rival: Row, found: Comparison, test: statistics.PairedTest, p: float) -> str:
    said = f"{chance(p)}, n = {test.count}"
    gain = -test.difference if found.directions[found.metric] == "minimize" else test.difference
    if p < LEVEL and gain > 0:
        return f"{best.label} beats {rival.label} by {text.number(gain)} in {found.metric}: {said}."
    return f"These runs do not say that {best.label} beats {rival.label} in {found.metric}: {said}."


def chance(p: float) -> str:
    """Returns a p value as papers print it: `p = 0.03`, `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
