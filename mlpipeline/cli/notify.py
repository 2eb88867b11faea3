"""The command that sends people a message, and says who has taken it: notify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.setup import Setup, now, say, shared

if TYPE_CHECKING:
    from mlpipeline.project import Project

_TEST = "This is a test: what the queue has to tell arrives here."
_EXAMPLE = "[NOTIFY]\nwebhook = https://..."


@click.command()
@click.argument("text", metavar="[TEXT]", required=False)
@shared
@click.pass_context
def notify(context: click.Context, /, text: str | None) -> None:
    """Send TEXT, or a test message, to everybody whom [NOTIFY] of mlp.config names, and say who has taken it.

    No scheduler is needed. A $NAME of [NOTIFY] is filled from the environment of this shell; the scheduler fills it
    from its own. The exit status is 1 where somebody has not taken it.

    \b
    mlpipeline notify
    make train && mlpipeline notify "the data is ready"
    """
    from mlpipeline.errors import UsageError
    from mlpipeline.observe import messenger

    setup: Setup = context.find_root().obj
    project = setup.project()
    wanted = messenger.wanted(project)
    if not wanted:
        raise UsageError(f"nobody is notified: mlp.config needs a section\n\n{_EXAMPLE}")
    message = _message(project, text)
    found = [(place, messenger.send(place, message)) for place in wanted.places()]
    if setup.json:
        sent = [{"to": place.name, "ok": not trouble, "trouble": trouble} for place, trouble in found]
        setup.emit({"format": 1, "sent": sent})
    else:
        for place, trouble in found:
            say(trouble or f"{place.name} has taken it")
    context.exit(1 if any(trouble for _, trouble in found) else 0)


def _message(project: Project, told: str | None) -> dict[str, Any]:
    from mlpipeline.observe import notices

    kind = "test" if told is None else "message"
    notice = notices.Notice(kind=kind, text=_TEST if told is None else told, at=now())
    return notices.envelope(project.root.as_posix(), project.host, f"a {kind}", [notice.text], [notice])
