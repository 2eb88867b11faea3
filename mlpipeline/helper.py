"""The import path of published model scripts; re-exports only."""

from mlpipeline.model import DataLoader, Dataloader, Model

__all__ = ["DataLoader", "Dataloader", "Model"]
