"""The deployer that writes manifests for Kubernetes, and applies them with `kubectl`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlpipeline import errors
from mlpipeline.workflow.components import outside
from mlpipeline.workflow.components.model_deployers import deployments
from mlpipeline.workflow.components.model_deployers.deployments import Deployment
from mlpipeline.workflow.components.model_deployers.docker import PORT, TOKEN, USER_ID
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Resource
from mlpipeline.workflow.types.model import ModelDeployer

_FILE = "manifest.yaml"


class KubernetesDeployer(ModelDeployer):
    """Runs the image of DockerDeployer in a cluster: a Deployment, rolled out without a gap, and a Service before it.

    The token that requests have to bring is a Secret, which is made once and stands in no file:
    `kubectl create secret generic <name>-token --from-literal=MLPIPELINE_TOKEN=…`.

    Attributes:
        image: with its registry and tag, as the cluster pulls it.
        namespace: of the cluster.
        replicas: how many containers answer.
        memory, cpu: what each asks for, as Kubernetes writes them.
    """

    image: str
    namespace: str = "default"
    replicas: int = 2
    memory: str = "512Mi"
    cpu: str = "250m"

    @side_effects
    def package_model(self, model: Resource, directory: Path) -> Sequence[Path]:
        """Writes `manifest.yaml`, and returns it."""
        yaml: Any = errors.require("yaml", extra="workflow")
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / _FILE
        text = yaml.safe_dump_all(self.manifests(model), sort_keys=False, allow_unicode=True)
        path.write_text(f"# {model.id!r}\n{text}")
        return [path]

    def manifests(self, model: Resource) -> list[dict[str, Any]]:
        """Returns the Deployment and the Service of a model."""
        name = deployments.slug(model.name)
        labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "mlpipeline"}
        meta = {"name": name, "namespace": self.namespace, "labels": labels}
        chosen = {"app.kubernetes.io/name": name}
        told = {"mlpipeline/model": model.id, "mlpipeline/digest": model.digest}
        template = {
            "metadata": {"labels": labels, "annotations": told},
            "spec": {
                "securityContext": {"runAsNonRoot": True, "runAsUser": USER_ID},
                "containers": [self._container(name)],
            },
        }
        rollout = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
        pods = {"selector": {"matchLabels": chosen}, "template": template}
        spec = {"replicas": self.replicas, "strategy": rollout, **pods}
        ports = [{"name": "http", "port": 80, "targetPort": "http"}]
        return [
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec},
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": chosen, "ports": ports}},
        ]

    def _container(self, name: str) -> dict[str, Any]:
        asked = {"memory": self.memory, "cpu": self.cpu}
        probe = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 5}
        token = {"name": TOKEN, "valueFrom": {"secretKeyRef": {"name": f"{name}-token", "key": TOKEN}}}
        return {
            "name": "serve",
            "image": self.image,
            "ports": [{"name": "http", "containerPort": PORT}],
            "env": [token],
            "resources": {"requests": asked, "limits": {"memory": self.memory}},
            "readinessProbe": probe,
            "livenessProbe": {**probe, "initialDelaySeconds": 60},
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }

    @side_effects
    def deploy_model(self, model: Resource) -> str:
        """Applies the manifests, waits until the new containers answer, and returns where they do within the cluster.

        Raises:
            CommandFailed: kubectl is not there, or failed; with what it said.
        """
        directory, name = deployments.home(self, model.name), deployments.slug(model.name)
        (path,) = self.package_model(model, directory)
        outside.run(["kubectl", "apply", "--filename", str(path)])
        outside.run(["kubectl", "rollout", "status", f"deployment/{name}", "--namespace", self.namespace])
        url = f"http://{name}.{self.namespace}/{name}/predict"
        told = Deployment(name=model.name, deployer=type(self).__name__, model=model.id, digest=model.digest)
        deployments.write(directory, replace(told, url=url, handle=str(path)))
        return url

    @side_effects
    def stop(self, model: Resource) -> None:
        """Removes what was applied for a model.

        Raises:
            CommandFailed: kubectl is not there, or failed; with what it said.
        """
        directory = deployments.home(self, model.name)
        path = directory / _FILE
        if not path.is_file():
            raise errors.UsageError(f"{model.name} was not deployed from here: there is no {path}")
        outside.run(["kubectl", "delete", "--ignore-not-found", "--filename", str(path)])
        found = deployments.read(directory)
        if found is not None:
            deployments.write(directory, replace(found, url=None, handle=None))
