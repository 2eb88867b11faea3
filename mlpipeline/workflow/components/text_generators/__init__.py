"""Text generators: what writes documentation, docstrings and tests."""
