"""The command line: one file per area, each loaded when one of its commands is used."""
