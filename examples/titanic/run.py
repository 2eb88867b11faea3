"""Runs the workflow from Python."""

from runners.my_runner import MyRunner

runner = MyRunner(conf="dev.yaml")
metrics = runner.main()
print("f1 of passengers seen for the first time:", round(metrics["ground_truth"]["f1"], 3))
