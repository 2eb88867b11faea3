"""Brings rows to a model: nothing is learnt outside the training split, and serving cannot differ from training."""
