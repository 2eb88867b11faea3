"""Commands about the environment: env lock, env check."""

from __future__ import annotations

import click

from mlpipeline.cli.setup import Setup, say, shared


@click.group()
@shared
@click.pass_obj
def env(setup: Setup) -> None:
    """Write down the exact versions of all packages, and see what has changed since.

    \b
    mlpipeline env lock
    mlpipeline env check
    """


@env.command()
@shared
@click.pass_obj
def lock(setup: Setup) -> None:
    """Write requirements.lock: the exact version of each installed package.

    Nothing is installed, and no network is asked. Where uv is installed and has them in its cache, the hashes of
    archives are written too.

    \b
    mlpipeline env lock
    pip install --no-deps -r requirements.lock      elsewhere
    """
    from mlpipeline.execution import env_lock

    project = setup.project()
    path, hashed = env_lock.write(project.root)
    count = sum(1 for line in path.read_text("utf-8").splitlines() if line[:1] not in (" ", "#", ""))
    if setup.json:
        setup.emit({"format": 1, "path": str(path), "packages": count, "hashes": hashed})
        return
    say(f"{path}: {count} packages{', with the hashes of their archives' if hashed else ''}.")


@env.command()
@shared
@click.pass_obj
def check(setup: Setup) -> None:
    """Say how the installed packages differ from requirements.lock; exit status 1 where they do.

    Packages that the lock does not know are told, and are no fault.

    \b
    mlpipeline env check
    mlpipeline env check --json | jq .faults
    """
    from mlpipeline.errors import UsageError
    from mlpipeline.execution import env_lock

    project = setup.project()
    found = env_lock.drift(project.root)
    if found is None:
        raise UsageError(f"{project.root / env_lock.NAME} is not there: write it with mlpipeline env lock")
    if setup.json:
        setup.emit({"format": 1, "faults": found.faults, "notes": found.notes})
    else:
        for line in found.faults:
            say(line)
        for line in found.notes:
            say(f"note: {line}")
        if not found.faults:
            say(f"What is installed is what {env_lock.NAME} says.")
    if found.faults:
        raise click.exceptions.Exit(1)
