"""Deployers of models: a server on this machine, a container, a cluster."""
