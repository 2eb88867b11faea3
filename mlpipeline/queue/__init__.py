"""Decides: what is wanted, what happened, and what is to be submitted now."""
