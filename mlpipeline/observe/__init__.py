"""What people see: one read-only picture of ledger, run directories and status file, and its faces."""
