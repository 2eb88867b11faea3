"""A component: one thing that a workflow needs done, behind the interface of its type."""

from __future__ import annotations

from abc import ABC

from mlpipeline.workflow.part import Part


class Component(Part, ABC):
    """Does one thing, mostly with one library.

    A *type* of components is an abstract subclass; its abstract methods are the interface, and every implementation
    must take the calls that they allow, which is checked when it is loaded::

        class ModelTrainer(Component):
            @abstractmethod
            def fit(self, data): ...
    """

    _is_framework = True
