"""Packs a project's components, pipelines, runners, commands and templates, so that pip installs them elsewhere."""
