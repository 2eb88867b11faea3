"""The tree of commands, by section: where each is loaded from, and the line that help shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A command: where it is loaded from, and what it does in one line."""

    section: str
    target: str
    help: str


LOOK, CONTROL, LEARN, DATA = "See what happens", "Change what happens", "Learn", "Data"
WORKFLOWS, WORK, KEEP, SHELL = "Workflows", "Work in the project", "Keep house", "Your shell"
MAKE = "Make something new"

COMMANDS = {
    "plan": Entry(section=LOOK, target="plan:plan", help="What would run now, in which order, and why."),
    "status": Entry(section=LOOK, target="look:status", help="What runs, what is next, what ended lately."),
    "why": Entry(section=LOOK, target="why:why", help="Why a model or a run is as it is, in a sentence."),
    "history": Entry(section=LOOK, target="look:history", help="The runs so far, newest first."),
    "show": Entry(section=LOOK, target="look:show", help="Everything that is recorded about one run."),
    "logs": Entry(section=LOOK, target="logs:logs", help="What a run printed; -f follows it."),
    "compare": Entry(section=LOOK, target="compare:compare", help="Versions side by side, the best first."),
    "diff": Entry(section=LOOK, target="diff:diff", help="What differs between two runs."),
    "plot": Entry(section=LOOK, target="plot:plot", help="Learning curves and charts, in letters or into a file."),
    "journal": Entry(section=LOOK, target="journal:journal", help="The experiment log as a document."),
    "dashboard": Entry(section=LOOK, target="dashboard:dashboard", help="The queue in a browser."),
    "start": Entry(section=CONTROL, target="daemon:start", help="Run the queue in the background and stay."),
    "stop": Entry(section=CONTROL, target="daemon:stop", help="Stop the scheduler of this project."),
    "cancel": Entry(section=CONTROL, target="control:cancel", help="End runs that are running."),
    "hold": Entry(section=CONTROL, target="orders:hold", help="Keep a model from starting."),
    "release": Entry(section=CONTROL, target="orders:release", help="Undo hold; free what a lost host took up."),
    "now": Entry(section=CONTROL, target="orders:now", help="Run a model before all others."),
    "pause": Entry(section=CONTROL, target="orders:pause", help="Pause the queue, or a model."),
    "resume": Entry(section=CONTROL, target="orders:resume", help="Undo pause."),
    "note": Entry(section=CONTROL, target="control:note", help="Note something on a run."),
    "tag": Entry(section=CONTROL, target="tag:tag", help="Give a run tags, to choose runs by."),
    "notify": Entry(section=CONTROL, target="notify:notify", help="Send a message to whom [NOTIFY] names, as a test."),
    "retry": Entry(section=CONTROL, target="control:retry", help="Let failed runs run again."),
    "fit": Entry(section=LEARN, target="fit:fit", help="Train one version now, with other parameters."),
    "tune": Entry(section=LEARN, target="tune:tune", help="Search parameters; each trial is a run."),
    "predict": Entry(section=LEARN, target="predict:predict", help="Predict the rows of a file with a saved model."),
    "serve": Entry(section=LEARN, target="serve:serve", help="Answer predictions of saved models over HTTP."),
    "run": Entry(section=WORKFLOWS, target="workflow:run", help="Run a workflow here and now: run workflow RUNNER."),
    "validate": Entry(section=WORKFLOWS, target="workflow_files:validate", help="Check a workflow file."),
    "show-config": Entry(
        section=WORKFLOWS, target="workflow_files:show_config", help="A workflow's values, and their origins."
    ),
    "deployment": Entry(
        section=WORKFLOWS, target="deployment:deployment", help="Bring a model to where it answers; take it down."
    ),
    "export": Entry(section=WORKFLOWS, target="export:export", help="Write runs or a workflow for other tools."),
    "list": Entry(section=WORKFLOWS, target="listing:list_", help="Parts, commands, templates, and their origins."),
    "extract": Entry(section=DATA, target="extract:extract", help="What a query of extracts/ gives: its first rows."),
    "seed": Entry(section=DATA, target="rows:seed", help="Load local files into a connector: seed file SOURCE TARGET."),
    "datagen": Entry(section=DATA, target="rows:datagen", help="Make synthetic rows that look like those of a file."),
    "cache": Entry(section=DATA, target="cache:cache", help="See and empty what is kept of data: answers and spools."),
    "task": Entry(section=WORK, target="task:task", help="Run one of the project's tasks, or list them."),
    "console": Entry(section=WORK, target="shells:console", help="A Python console in the project."),
    "notebook": Entry(section=WORK, target="shells:notebook", help="Jupyter in the project."),
    "test": Entry(section=WORK, target="own_tests:test", help="Run the project's own tests, or a workflow's checks."),
    "init": Entry(section=MAKE, target="init:init", help="Create a project that runs at once, or upgrade one."),
    "import": Entry(section=WORK, target="import_:import_", help="Bring in runs of MLflow, Guild, sacred, ..."),
    "create": Entry(section=MAKE, target="create:create", help="Create a model, component, pipeline, command, ..."),
    "package": Entry(section=MAKE, target="package:package", help="Build what pip installs of the project's parts."),
    "get": Entry(section=KEEP, target="keep:get", help="Copy what a run left into a directory."),
    "mv": Entry(section=KEEP, target="keep:mv", help="Rename a model or version without losing its history."),
    "gc": Entry(section=KEEP, target="gc:gc", help="Show, or remove, what is not needed any more."),
    "fsck": Entry(section=KEEP, target="keep:fsck", help="Prove the ledger right, or rebuild it from the runs."),
    "doctor": Entry(section=KEEP, target="doctor:doctor", help="Report the environment, and what is wrong with it."),
    "env": Entry(section=KEEP, target="env:env", help="Write down the exact versions of packages; see drift."),
    "completion": Entry(section=SHELL, target="completion:completion", help="Print completion for bash, zsh or fish."),
}
