"""Real engines on this machine, with two nodes each, in a network namespace with only loopback."""
