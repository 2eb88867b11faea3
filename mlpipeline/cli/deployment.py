"""Commands that bring models to where they answer: `deployment approve|package|build|run|stop|list`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mlpipeline.cli import workflow_files
from mlpipeline.cli.deployed import model_of, parts_of
from mlpipeline.cli.setup import Setup, draw, say, shared

if TYPE_CHECKING:
    from mlpipeline.workflow.components.model_deployers.deployments import Deployment
    from mlpipeline.workflow.types import ModelDeployer, Resource

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    deployer: ModelDeployer
    model: Resource


def _chosen(function: _Function) -> _Function:
    """Adds what says which model is meant, and who deploys it."""
    model = click.argument("model")
    files = click.option(
        *("-c", "--config-file", "files"),
        multiple=True,
        type=workflow_files.FILE,
        help="A workflow file, whose deployer and trackers are used; may be given again.",
    )
    deployer = click.option(
        *("-d", "--deployer"), metavar="CLASS", help="Who deploys it. Default: the workflow's, else LocalDeployer."
    )
    settings = click.option(
        "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A value of the deployer; may be given again."
    )
    which = click.option(
        "--which",
        default="best",
        show_default=True,
        metavar="WHICH",
        help="Which saved model: best, latest, a run's id.",
    )
    return model(files(deployer(settings(which(function)))))


@click.group()
@shared
def deployment() -> None:
    """Bring a model to where it answers.

    A MODEL is the name of one that a workflow has kept: its champion, else its latest version; or of one that a run has
    saved.

    \b
    mlpipeline deployment run titanic
    mlpipeline deployment package titanic --deployer DockerDeployer -o image
    """


@deployment.command()
@click.argument("model")
@click.option(
    *("-c", "--config-file", "files"),
    multiple=True,
    type=workflow_files.FILE,
    help="A workflow file, whose trackers are used; may be given again.",
)
@click.option("--by", metavar="NAME", help="Who approves. Default: the user of this machine.")
@click.option("--which", default="latest", show_default=True, metavar="ID", help="Which version: a resource's id.")
@shared
@click.pass_obj
def approve(setup: Setup, model: str, files: tuple[Path, ...], by: str | None, which: str) -> None:
    """Approve a model that a workflow has promoted, or a former champion: it is the champion from now on.

    \b
    mlpipeline deployment approve titanic
    mlpipeline deployment approve titanic --which model-titanic-2 --by Ada
    """
    from mlpipeline import requests
    from mlpipeline.errors import UsageError
    from mlpipeline.workflow.types import Kind, MetadataTracker, ModelRepository

    paths = tuple(each.resolve() for each in files)
    with chdir(setup.project().root):
        parts = parts_of(setup, paths, None, ())
        trackers = [each for each in parts if isinstance(each, MetadataTracker)]
        versions = [each for part in trackers for each in part.find(Kind.MODEL, model)]
        chosen = [each for each in versions if which in ("latest", each.id)]
        if not versions:
            raise UsageError(f"no workflow has kept a model {model!r}: mlpipeline history tells which have run")
        if not chosen:
            listed = ", ".join(each.id for each in versions[:5])
            raise UsageError(f"there is no version {which!r} of {model!r}. Latest: {listed}")
        repositories = [each for each in parts if isinstance(each, ModelRepository)]
        if not repositories:
            raise UsageError("the workflow has no model_repository: declare one, e.g. LocalModelRepository")
        repositories[0].promote_model(chosen[0])
        repositories[0].approve_model(chosen[0], by=by or requests.user())
    if setup.json:
        setup.emit({"format": 1, "model": chosen[0].id, "approved": True})
    else:
        say(f"{chosen[0].id} is the champion of {model}.")


@deployment.command()
@_chosen
@click.option("-o", "--output-path", "target", type=click.Path(file_okay=False, path_type=Path), help="Where to write.")
@shared
@click.pass_obj
def package(setup: Setup, /, target: Path | None, **chosen: Any) -> None:
    """Write all that is needed to deploy a model: a script, a Dockerfile, manifests.

    \b
    mlpipeline deployment package titanic
    mlpipeline deployment package titanic -d KubernetesDeployer --set image=registry.example/titanic:1 -o cluster
    """
    place = (target or Path(f"deploy-{_slug(chosen['model'])}")).resolve()
    with _found(setup, **chosen) as found:
        files = found.deployer.package_model(found.model, place)
    if setup.json:
        setup.emit({"format": 1, "model": found.model.id, "files": [str(each) for each in files]})
        return
    for each in files:
        say(str(each))


@deployment.command()
@_chosen
@shared
@click.pass_obj
def build(setup: Setup, /, **chosen: Any) -> None:
    """Build the image that a deployer runs, and start nothing.

    \b
    mlpipeline deployment build titanic --deployer DockerDeployer
    mlpipeline deployment build titanic -c dev.yaml --set model_deployer.image=titanic:1
    """
    from mlpipeline.errors import UsageError
    from mlpipeline.workflow.components.model_deployers import deployments

    with _found(setup, **chosen) as found:
        builds: Any = getattr(type(found.deployer), "build_model", None)
        if builds is None:
            kind = type(found.deployer).__name__
            raise UsageError(f"{kind} builds nothing: mlpipeline deployment run deploys by it; DockerDeployer builds")
        image = builds(found.deployer, found.model, deployments.home(found.deployer, found.model.name) / "image")
    if setup.json:
        setup.emit({"format": 1, "model": found.model.id, "image": image})
    else:
        say(f"{found.model.id} is in {image}.")


@deployment.command()
@_chosen
@shared
@click.pass_obj
def run(setup: Setup, /, **chosen: Any) -> None:
    """Deploy a model, wait until it answers, and say where. What answered before under its name is replaced.

    \b
    mlpipeline deployment run titanic
    mlpipeline deployment run titanic --set port=8000 --which latest
    """
    with _found(setup, **chosen) as found:
        url = found.deployer.deploy_model(found.model)
    if setup.json:
        setup.emit({"format": 1, "model": found.model.id, "deployer": type(found.deployer).__name__, "url": url})
    else:
        say(f"{found.model.id} answers at {url}")


@deployment.command()
@click.argument("model")
@shared
@click.pass_obj
def stop(setup: Setup, model: str) -> None:
    """Take a deployed model down.

    \b
    mlpipeline deployment stop titanic
    mlpipeline deployment stop titanic --json
    """
    from mlpipeline import plugins
    from mlpipeline.config_text import near_miss
    from mlpipeline.errors import UsageError
    from mlpipeline.workflow.components.model_deployers import deployments
    from mlpipeline.workflow.types import Kind, Resource

    project = setup.project()
    known = {each.name: each for each in deployments.every(project.outputs_dir)}
    if model not in known:
        listed = ", ".join(known) or "none"
        raise UsageError(f"no model {model!r} is deployed.{near_miss(model, known)} Deployed: {listed}")
    told = known[model]
    resource = Resource(id=told.model, kind=Kind.MODEL, name=told.name, digest=told.digest, created_at="")
    with chdir(project.root):
        plugins.load("component", told.deployer)().stop(resource)
    if setup.json:
        setup.emit({"format": 1, "model": told.model, "stopped": True})
    else:
        say(f"{told.model} is taken down.")


@deployment.command("list")
@shared
@click.pass_obj
def list_(setup: Setup) -> None:
    """List the models that are deployed, and where they answer.

    \b
    mlpipeline deployment list
    mlpipeline deployment list --json
    """
    from mlpipeline.observe.table import Table
    from mlpipeline.workflow.components.model_deployers import deployments

    found = [(each, _state(each)) for each in deployments.every(setup.project().outputs_dir)]
    if setup.json:
        names = ("name", "deployer", "model", "digest", "url")
        listed = [{**{name: getattr(each, name) for name in names}, "state": state} for each, state in found]
        setup.emit({"format": 1, "deployments": listed})
    elif found:
        rows = tuple((each.name, each.model, each.deployer, state, each.url or "") for each, state in found)
        draw(Table(columns=("name", "model", "deployer", "state", "where"), rows=rows))
    else:
        say("No model is deployed: mlpipeline deployment run MODEL does it.")


def _state(told: Deployment) -> str:
    from mlpipeline.workflow.components.model_deployers import local

    if told.started is not None:
        return "answers" if local.is_alive(told) else "has ended"
    return "deployed" if told.handle is not None else "stopped" if told.url is not None else "not started"


def _slug(name: str) -> str:
    from mlpipeline.workflow.components.model_deployers import deployments

    return deployments.slug(name)


@contextmanager
def _found(
    setup: Setup, model: str, files: tuple[Path, ...], deployer: str | None, settings: tuple[str, ...], which: str
) -> Iterator[_Found]:
    """Gives the deployer and the model, in the project's directory.

    Raises:
        UsageError: there is no such model, or the workflow has no deployer.
    """
    project = setup.project()
    files = tuple(each.resolve() for each in files)
    with chdir(project.root):
        parts = parts_of(setup, files, deployer, settings)
        yield _Found(deployer=_deployer(parts, deployer), model=model_of(setup, parts, model, which))


def _deployer(parts: list[Any], name: str | None) -> ModelDeployer:
    from mlpipeline.errors import UsageError
    from mlpipeline.workflow.types import ModelDeployer

    found = [each for each in parts if isinstance(each, ModelDeployer)]
    named = [each for each in found if name in (None, type(each).__name__)]
    if not named:
        raise UsageError("the workflow has no model_deployer: declare one, or name its class with --deployer")
    return named[0]
