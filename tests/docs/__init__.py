"""Tests of what is written for people: README and docs/."""
