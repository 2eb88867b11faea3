"""Runs the workflow from Python."""

from runners.my_runner import MyRunner

runner = MyRunner(conf="dev.yaml")
metrics = runner.main()
print("passengers seen for the first time: f1", round(metrics["ground_truth"]["f1"], 3))
