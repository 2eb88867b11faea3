"""The kinds of stores."""
