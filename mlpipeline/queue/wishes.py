"""What is wanted: the selection and the descriptions of its models, made into versions and seeds to be trained."""

from __future__ import annotations

from collections.abc import Mapping

from mlpipeline.config_text import near_miss
from mlpipeline.ledger import Key
from mlpipeline.queue.catalog import DescribedVersion, Description
from mlpipeline.queue.plan import Wanted, seed_of
from mlpipeline.queue.submission import model_dir_name
from mlpipeline.selection import Listed, Selection


def wanted(selection: Selection, known: Mapping[str, Description], *, testing: bool) -> list[Wanted]:
    """Returns every version and seed that is to be trained, in list order.

    Args:
        selection: what is listed.
        known: descriptions by model; models without one, or with a fault, contribute nothing.
        testing: test mode trains one seed of each version.
    """
    found: list[Wanted] = []
    for position, listed in enumerate(selection.models):
        description = known.get(listed.model)
        if listed.fault is None and description is not None and description.fault is None:
            found += _of_model(position, listed, description, testing=testing)
    return found


def _of_model(position: int, listed: Listed, description: Description, *, testing: bool) -> list[Wanted]:
    replicates = 1 if testing else listed.options.replicates
    return [
        _one(position, listed, description, version, replicate)
        for replicate in range(replicates)
        for version in chosen(listed, description)
    ]


def chosen(listed: Listed, description: Description) -> list[DescribedVersion]:
    """Returns the versions that `only` and `skip` leave."""
    only, skip = listed.options.only, listed.options.skip
    return [
        version for version in description.versions if (not only or version.name in only) and version.name not in skip
    ]


def _one(position: int, listed: Listed, description: Description, version: DescribedVersion, replicate: int) -> Wanted:
    model = listed.model
    return Wanted(
        model=model,
        version=version.name,
        replicate=replicate,
        seed=seed_of(model, version.name, replicate),
        key=Key(model, version.name, replicate, version.params_digest, description.code_digest),
        options=listed.options,
        position=position,
        rank=version.order,
        model_dir=model_dir_name(model, version.name, version.suffix, replicate),
        params=version.params,
        trial=version.trial,
    )


def faults(selection: Selection, known: Mapping[str, Description]) -> dict[str, str]:
    """Returns what is wrong with listed models, by model. None of it concerns any other model."""
    found = {}
    for listed in selection.models:
        description = known.get(listed.model)
        if listed.fault is not None:
            found[listed.model] = listed.fault
        elif description is None:
            continue
        elif description.fault is not None:
            if not (listed.optional and not description.has_model):
                found[listed.model] = description.fault
        elif missing := _unknown_versions(listed, description):
            found[listed.model] = selection.place(listed) + missing
    return found


def _unknown_versions(listed: Listed, description: Description) -> str:
    names = [version.name for version in description.versions]
    unknown = [name for name in (*listed.options.only, *listed.options.skip) if name not in names]
    if not unknown:
        return ""
    told = f"It has: {', '.join(names)}" if names else "It has none yet: the trials of its search are still to be drawn"
    return f"{listed.model} has no version {unknown[0]!r}.{near_miss(unknown[0], names)} {told}"
