"""Lets `python -m mlpipeline` be what `mlpipeline` is."""

from __future__ import annotations

from mlpipeline.cli.main import main

if __name__ == "__main__":
    main()
