"""What a project's own parts can be tested with: contracts as test classes to derive from."""
