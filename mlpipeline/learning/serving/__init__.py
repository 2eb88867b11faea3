"""Answers predictions over HTTP: rows that are checked, a page to try it, and a change of models that drops nothing."""
