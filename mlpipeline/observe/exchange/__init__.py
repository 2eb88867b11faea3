"""Runs that go to other tools and come from them; each tool is a module of its own."""
