"""Tests that parts of your own are put through: inherit a class, make the part, and pytest does the rest."""
