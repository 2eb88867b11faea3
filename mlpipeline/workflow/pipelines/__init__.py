"""The pipelines of standard workflows: process, train, deploy, predict."""
