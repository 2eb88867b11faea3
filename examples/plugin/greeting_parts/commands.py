"""A command, `mlpipeline greet`: any command of click will do."""

import click


@click.command()
@click.argument("name")
def greet(name):
    """Greet somebody."""
    click.echo(f"Hello {name}")
