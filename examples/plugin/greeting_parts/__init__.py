"""Parts for mlpipeline that greet: a component, a command, a template. See the pyproject.toml above."""
