"""Real engines: Slurm of Debian's packages with two nodes on this machine, in a network namespace with only loopback."""
