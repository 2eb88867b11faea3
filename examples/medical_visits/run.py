"""Runs the workflow from Python."""

from mlpipeline.workflow import load

runner = load("models/medical_visits.yaml")
runner.main()
