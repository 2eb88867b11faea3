"""Pages that describe rows to a person."""
