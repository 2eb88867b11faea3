"""Commands about what is kept of data, answers and spools: list, explain, clear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.setup import Setup, draw, say, shared

if TYPE_CHECKING:
    from mlpipeline.data.cache_index import Entry
    from mlpipeline.data.cached import Cache
    from mlpipeline.data.spools import Kept, Spools
    from mlpipeline.observe.table import Table

_KEY_SHOWN = 10


@click.group()
@shared
@click.pass_obj
def cache(setup: Setup) -> None:
    """See and empty what is kept of data: answers that `dataframe(…, cache=True)` asked for, and spools, the rows of
    streaming datasets.

    \b
    mlpipeline cache list
    mlpipeline cache explain 3fa9             what an entry is an answer to
    mlpipeline cache explain --extract subscribers --set limit=100
                                              whether this would be asked, and why
    mlpipeline cache clear --extract subscribers
    """


@cache.command("list")
@shared
@click.pass_obj
def list_(setup: Setup) -> None:
    """List what is kept, used last first: answers, then spools.

    \b
    mlpipeline cache list
    mlpipeline cache list --json | jq .bytes
    """
    from mlpipeline.cli.spools import spools_of
    from mlpipeline.cli.spools import table as spool_table
    from mlpipeline.cli.spools import told as told_of
    from mlpipeline.observe.text import many, size

    kept, spools = _cache(setup), spools_of(setup)
    entries, rows = kept.entries(), spools.kept()
    total = sum(entry.bytes for entry in entries)
    if setup.json:
        told = [_json(kept, entry) for entry in entries]
        limits = {"limit_bytes": kept.limit_bytes, "ttl_seconds": kept.ttl_seconds}
        answers = {"directory": str(kept.directory), "bytes": total, **limits, "entries": told}
        setup.emit({"format": 1, **answers, "spools": told_of(spools, rows)})
        return
    if entries:
        draw(_table(kept, entries))
        say(f"{many(len(entries), 'answer')}, {size(total)} of {size(kept.limit_bytes)}, in {kept.directory}")
    else:
        say(f"No answer is kept in {kept.directory}. Ask with cache=True.")
    if rows:
        draw(spool_table(spools, rows, _KEY_SHOWN))
        taken = size(sum(spool.bytes for spool in rows))
        say(f"{many(len(rows), 'spool')}, {taken} of {size(spools.limit_bytes)}, in {spools.root}")


def _table(kept: Cache, entries: list[Entry]) -> Table:
    from mlpipeline.observe.table import Table
    from mlpipeline.observe.text import size

    now = kept.clock()
    rows = [
        (
            entry.key[:_KEY_SHOWN],
            entry.question.extract or entry.question.sql[:40],
            entry.question.name,
            f"{entry.rows:,}",
            size(entry.bytes),
            f"{age(now - entry.created_at)}{' (expired)' if kept.is_expired(entry) else ''}",
            str(entry.uses),
            f"{entry.seconds:.2f} s",
        )
        for entry in entries
    ]
    return Table(columns=("key", "extract", "connection", "rows", "size", "age", "uses", "took"), rows=tuple(rows))


@cache.command()
@click.argument("key", required=False)
@click.option("--extract", metavar="NAME", help="The extract that would be asked.")
@click.option("--connection", default="main", show_default=True, metavar="NAME", help="Whom it would be asked of.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A parameter; may be given again.")
@shared
@click.pass_obj
def explain(setup: Setup, key: str | None, extract: str | None, connection: str, settings: tuple[str, ...]) -> None:
    """Say what an entry is an answer to; or whether an extract's answer is kept, and why not.

    \b
    mlpipeline cache explain 3fa9
    mlpipeline cache explain --extract subscribers --connection main --set limit=100
    """
    from mlpipeline.cli.spools import spools_of
    from mlpipeline.cli.spools import story as spool_story
    from mlpipeline.cli.spools import told as told_of
    from mlpipeline.data.cache_index import Entry
    from mlpipeline.errors import UsageError

    if (key is None) == (extract is None):
        raise UsageError("name either a KEY of mlpipeline cache list, or --extract")
    if key is None:
        _explain_extract(setup, str(extract), connection, settings)
        return
    kept, spools = _cache(setup), spools_of(setup)
    found = find(kept, spools, key)
    if isinstance(found, Entry):
        story, told = _story(kept, found), _json(kept, found)
    else:
        story, told = spool_story(spools, found), told_of(spools, [found])["entries"][0]
    if setup.json:
        setup.emit({"format": 1, **told})
        return
    for name, value in story:
        say(f"{name + ':':<12} {value}")


def _explain_extract(setup: Setup, extract: str, name: str, settings: tuple[str, ...]) -> None:
    from mlpipeline.cli.extract import connected, values_of
    from mlpipeline.data.cache_key import words

    made = connected(setup, name)
    question = made.question(made.query(extract=extract, **values_of(settings)))
    reasons = made.cache.why_not(question)
    if setup.json:
        asked = {"key": question.key, "sql": question.sql, "parameters": words(question.parameters)}
        setup.emit({"format": 1, "kept": not reasons, "reasons": reasons, **asked})
        return
    say(
        f"{extract}: {'the answer is kept' if not reasons else 'the database would be asked'} (key {question.key[:10]})"
    )
    for reason in reasons:
        say(f"  {reason}")
    say(f"  parameters: {words(question.parameters)}")


@cache.command()
@click.argument("key", required=False)
@click.option("--extract", metavar="NAME", help="Only answers of this extract.")
@click.option("--connection", metavar="NAME", help="Only answers of this connection.")
@click.option("--expired", is_flag=True, help="Only answers that are too old, and spools that are unused too long.")
@click.option("--spools", "only_spools", is_flag=True, help="Only spools.")
@shared
@click.pass_obj
def clear(
    setup: Setup, key: str | None, extract: str | None, connection: str | None, expired: bool, only_spools: bool
) -> None:
    """Remove what is kept: all of it, or what is named. A spool that a process uses stays.

    \b
    mlpipeline cache clear
    mlpipeline cache clear 3fa9
    mlpipeline cache clear --extract subscribers
    mlpipeline cache clear --spools --expired
    """
    from mlpipeline.cli.spools import spools_of
    from mlpipeline.errors import UsageError

    if only_spools and (extract or connection):
        raise UsageError("--spools goes with neither --extract nor --connection: those name answers")
    kept, spools = _cache(setup), spools_of(setup)
    named = None if key is None else _name(find(kept, spools, key))

    def is_meant(entry: Entry) -> bool:
        question = entry.question
        is_asked = extract in (None, question.extract) and connection in (None, question.name)
        return is_asked and named in (None, entry.key) and (not expired or kept.is_expired(entry))

    def is_meant_spool(entry: Kept) -> bool:
        return named in (None, entry.name) and (not expired or spools.is_old(entry))

    only_answers = extract is not None or connection is not None
    answers = [] if only_spools else kept.clear(is_meant)
    rows = [] if only_answers else spools.clear(is_meant_spool)
    in_use = [] if only_answers else [entry for entry in spools.kept() if entry.is_used and is_meant_spool(entry)]
    _tell_cleared(setup, answers, rows, len(in_use))


def _tell_cleared(setup: Setup, answers: list[Entry], spools: list[Kept], in_use: int) -> None:
    from mlpipeline.observe.text import many, size

    count = sum(entry.bytes for entry in answers) + sum(entry.bytes for entry in spools)
    if setup.json:
        gone = {"removed": [entry.key for entry in answers], "removed_spools": [entry.name for entry in spools]}
        setup.emit({"format": 1, **gone, "bytes": count})
        return
    words = [many(len(found), what) for found, what in ((answers, "answer"), (spools, "spool")) if found]
    say(f"Removed {' and '.join(words)}, {size(count)}." if words else "Nothing to remove.")
    if in_use:
        say(f"{many(in_use, 'spool')} in use: kept.")


def _cache(setup: Setup) -> Cache:
    from mlpipeline.data.named import cache_of

    return cache_of(setup.project())


def find(kept: Cache, spools: Spools, prefix: str) -> Entry | Kept:
    """Returns the answer or the spool whose key begins so.

    Raises:
        UsageError: when there is none, or several are.
    """
    from mlpipeline.errors import UsageError

    answers, rows = kept.entries(prefix), spools.kept(prefix)
    count = len(answers) + len(rows)
    if count != 1:
        several = f"{count} keys begin with {prefix!r}: give more of it"
        raise UsageError(several if count else f"no key begins with {prefix!r}: see mlpipeline cache list")
    return answers[0] if answers else rows[0]


def _name(found: Entry | Kept) -> str:
    from mlpipeline.data.cache_index import Entry

    return found.key if isinstance(found, Entry) else found.name


def _story(kept: Cache, entry: Entry) -> list[tuple[str, str]]:
    from mlpipeline.data.cache_key import words
    from mlpipeline.observe.text import size

    now, asked = kept.clock(), entry.question
    digest = asked.extract_digest[:10]
    return [
        ("key", entry.key),
        ("connection", f"{asked.name} ({asked.dialect}, {asked.connection[:10]})"),
        ("extract", f"{asked.extract} (content {digest})" if asked.extract else "none: SQL in code"),
        ("parameters", words(asked.parameters)),
        ("sql", asked.sql),
        ("kept", f"{entry.rows:,} rows as {asked.form}, {size(entry.bytes)}, in {entry.file}"),
        ("age", f"{age(now - entry.created_at)}{', expired' if kept.is_expired(entry) else ''}"),
        ("used", f"{entry.uses} times, {age(now - entry.used_at)} ago"),
        ("took", f"{entry.seconds:.2f} s to ask"),
    ]


def _json(kept: Cache, entry: Entry) -> dict[str, Any]:
    from mlpipeline.data.cache_key import words

    asked = entry.question
    return {
        "key": entry.key, "extract": asked.extract or None, "connection": asked.name, "dialect": asked.dialect,
        "sql": asked.sql, "parameters": words(asked.parameters), "extract_digest": asked.extract_digest or None,
        "form": asked.form, "rows": entry.rows, "bytes": entry.bytes, "file": entry.file,
        "created_at": entry.created_at, "used_at": entry.used_at, "uses": entry.uses, "seconds": entry.seconds,
        "expired": kept.is_expired(entry),
    }  # fmt: skip


def age(seconds: float) -> str:
    """Returns a time that has passed, in its two largest units."""
    from mlpipeline.observe.text import duration

    return duration(max(0.0, seconds))
