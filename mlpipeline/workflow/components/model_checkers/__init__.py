"""Checkers of models: beside a baseline, between their splits, among groups of people."""
