"""Trainers of models, one for each library."""
