"""Rows, from where they lie to what a model reads: nothing is learned outside the training split, nothing is skewed at serving."""
