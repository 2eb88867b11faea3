"""Where runs happen: executors, the supervisor that owns one attempt, the worker in which the user's code runs."""
