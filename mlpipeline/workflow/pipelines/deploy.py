"""The standard pipeline that brings a model to its use: registers, promotes, approves and deploys it."""

from __future__ import annotations

from collections.abc import Mapping

from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.pipeline import Pipeline
from mlpipeline.workflow.types import MetadataTracker, ModelDeployer, ModelRepository, Notifier, Resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class OfflineDeploy(Pipeline):
    """Makes a model the champion of its name, once it is approved, and deploys it where there is a deployer."""

    model_repository: ModelRepository
    model_deployer: ModelDeployer | None
    metadata_tracker: MetadataTracker
    notifier: Notifier | None
    auto_approve_models: bool = False

    @classmethod
    def default_parts(cls, config: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns the repository in the project's own files; nothing that would start a server unasked."""
        return {
            "model_repository": "LocalModelRepository",
            "metadata_tracker": "LedgerTracker",
            "notifier": "LogNotifier",
        }

    def champion(self, name: str) -> Resource | None:
        """Returns the approved model of a name; None where there is none."""
        return self.model_repository.champion(name)

    @side_effects
    def promote_model(self, model: Resource) -> Resource:
        """Registers a model, and proposes it as the champion of its name."""
        self.model_repository.register_model(model)
        self.model_repository.promote_model(model)
        return model

    @side_effects
    def approve_model(self, model: Resource, by: str = "auto_approve_models") -> bool:
        """Approves a promoted model, and returns whether it is the champion now: that is a person's to do.

        Only where `auto_approve_models` is set, the workflow itself approves.
        """
        if not self.check_approval(model) and self.auto_approve_models:
            self.model_repository.approve_model(model, by)
        return self.check_approval(model)

    def check_approval(self, model: Resource) -> bool:
        """Returns whether a model is approved."""
        return self.model_repository.check_approval(model)

    @side_effects
    def deploy_model(self, model: Resource) -> str | None:
        """Deploys an approved model, and returns where it answers; None where it is not approved, or nobody deploys."""
        if not self.check_approval(model):
            self.log(f"{model.id} waits for approval: it is not deployed; auto_approve_models: true approves by itself")
            return None
        if self.model_deployer is None:
            return None
        return self.model_deployer.deploy_model(model)
