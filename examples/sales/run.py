"""Runs the workflow from Python."""

from mlpipeline.workflow import load

runner = load("models/sales.yaml")
runner.main()
