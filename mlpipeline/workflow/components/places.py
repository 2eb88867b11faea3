"""Where components write what is for people: in the directory of the run, else below the project's outputs."""

from __future__ import annotations

from pathlib import Path

from mlpipeline.errors import NotWritable
from mlpipeline.project import Project
from mlpipeline.workflow.part import Part

FOLDER = "reports"


def directory(part: Part, local_dir: str | None) -> Path:
    """Returns a directory, which is made: `local_dir` where that is given."""
    if local_dir is not None:
        found = Path(local_dir)
    elif part.run.directory is not None:
        found = part.run.directory / FOLDER
    else:
        project = Project.load()
        found = (project.outputs_dir if project.config_found else Path("outputs")) / FOLDER
    try:
        found.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWritable(f"{found}: cannot be made ({error.strerror}): set local_dir") from error
    return found


def new_file(part: Part, local_dir: str | None, name: str, ending: str) -> Path:
    """Returns an empty file of its own, which nobody else writes: `data_profile.html`, then `data_profile-2.html`."""
    folder = directory(part, local_dir)
    stem = f"{part.address}.{name}" if part.address else name
    number = 1
    while True:
        path = folder / (f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}")
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise NotWritable(f"{path}: cannot be written ({error.strerror}): set local_dir") from error
        else:
            return path
