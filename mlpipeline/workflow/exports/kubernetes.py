"""Writes manifests that run a workflow in Kubernetes: a Job or CronJob, and a ConfigMap with the workflow's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlpipeline.errors import ConfigurationError, UsageError, require
from mlpipeline.workflow.exports.dockerfile import USER_ID
from mlpipeline.workflow.exports.names import slug
from mlpipeline.workflow.exports.options import Options
from mlpipeline.workflow.exports.subject import Subject

_APP, _RECORDS = "/app", "/records"
_MOST_BYTES = 1024 * 1024
"""What a ConfigMap may hold: https://kubernetes.io/docs/concepts/configuration/configmap/"""


def render(subject: Subject, options: Options, directory: Path) -> dict[str, str]:
    """Returns the manifests by name. Variables of the environment are references to a Secret, which is not written.

    Raises:
        ConfigurationError: a secret stands in the workflow's files, which the ConfigMap would hold.
        UsageError: a file cannot be mounted, or they are too large.
    """
    if subject.secrets:
        raise ConfigurationError(faults=subject.secrets)
    name = slug(subject.name)
    config = _config_map(subject, name)
    kind = "cronjob" if options.schedule else "job"
    head = _head(subject, name, kind)
    job = _cron_job(subject, name, options) if options.schedule else _job(subject, name, options)
    return {"configmap.yaml": _text(config), f"{kind}.yaml": head + _text(job)}


def _text(manifest: dict[str, Any]) -> str:
    yaml = require("yaml", extra="workflow")
    dumper = type("Dumper", (yaml.SafeDumper,), {"ignore_aliases": lambda *_: True})
    dumper.add_representer(str, _as_block)  # type: ignore[attr-defined]
    text: str = yaml.dump(manifest, Dumper=dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def _as_block(dumper: Any, text: str) -> Any:
    """Returns a text of several lines as a block, as far as YAML can have it as one."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _head(subject: Subject, name: str, kind: str) -> str:
    lines = ["Written by `mlpipeline export workflow kubernetes`. The image is that of `export workflow dockerfile`."]
    if subject.variables:
        lines += [f"Values of {', '.join(each.name for each in subject.variables)}, in a file that git does not keep:"]
        lines += [f"  kubectl create secret generic {name}-environment --from-env-file=FILE"]
    lines += [f"  kubectl apply --filename configmap.yaml --filename {kind}.yaml"]
    return "".join(f"# {line}\n" for line in lines)


def _meta(subject: Subject, name: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "mlpipeline"}
    return {"name": name, "labels": labels, "annotations": {"mlpipeline/workflow": subject.name}}


def _config_map(subject: Subject, name: str) -> dict[str, Any]:
    data = {}
    for key, file in _keys(subject).items():
        if Path(file).is_absolute():
            raise UsageError(
                f"{file} lies outside the project {subject.root}: the image would not hold it: move it there"
            )
        if ":" in file:
            raise UsageError(f"{file}: Kubernetes mounts no file with a colon in its path: rename it")
        data[key] = (subject.root / file).read_text("utf-8-sig")
    size = sum(len(text.encode()) for text in data.values())
    if size > _MOST_BYTES:
        raise UsageError(f"the workflow's files have {size} bytes, and a ConfigMap holds {_MOST_BYTES}: take some out")
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta(subject, f"{name}-files"), "data": data}


def _keys(subject: Subject) -> dict[str, str]:
    """Returns each file by its key in the ConfigMap, which allows letters, digits, dots and dashes."""
    return {f"{number}-{slug(file, allowed='A-Za-z0-9_.-')}": file for number, file in enumerate(subject.sources, 1)}


def _job(subject: Subject, name: str, options: Options) -> dict[str, Any]:
    meta = _meta(subject, name)
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": _job_spec(subject, name, options)}


def _cron_job(subject: Subject, name: str, options: Options) -> dict[str, Any]:
    spec = {
        "schedule": options.schedule,
        "concurrencyPolicy": "Forbid",
        "jobTemplate": {"spec": _job_spec(subject, name, options)},
    }
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": _meta(subject, name), "spec": spec}


def _job_spec(subject: Subject, name: str, options: Options) -> dict[str, Any]:
    """Returns what a Job does: a container that fails is started again, and goes on at the step that failed."""
    mounts = [{"name": "records", "mountPath": _RECORDS}]
    for key, file in _keys(subject).items():
        mounts.append({"name": "files", "mountPath": f"{_APP}/{file}", "subPath": key, "readOnly": True})  # type: ignore[dict-item]
    container = {
        "name": "workflow",
        "image": options.image or slug(subject.name),
        "command": [_escaped(word) for word in ("mlpipeline", *subject.words, "--records", f"{_RECORDS}/steps")],
        "workingDir": _APP,
        "env": _environment(subject, name),
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": mounts,
    }
    pod = {
        "restartPolicy": "OnFailure",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": USER_ID, "fsGroup": USER_ID},
        "containers": [container],
        "volumes": [{"name": "records", "emptyDir": {}}, {"name": "files", "configMap": {"name": f"{name}-files"}}],
    }
    labels = _meta(subject, name)["labels"]
    return {"backoffLimit": options.retries, "template": {"metadata": {"labels": labels}, "spec": pod}}


def _environment(subject: Subject, name: str) -> list[dict[str, Any]]:
    # the key that signs records lies beside them: in the home directory it would be gone with the container
    found: list[dict[str, Any]] = [{"name": "XDG_STATE_HOME", "value": f"{_RECORDS}/state"}]
    for each in subject.variables:
        reference: dict[str, Any] = {"name": f"{name}-environment", "key": each.name}
        if each.optional:
            reference["optional"] = True
        found.append({"name": each.name, "valueFrom": {"secretKeyRef": reference}})
    return found


def _escaped(word: str) -> str:
    """Returns a word in which Kubernetes puts no variable's value."""
    return word.replace("$(", "$$(")
