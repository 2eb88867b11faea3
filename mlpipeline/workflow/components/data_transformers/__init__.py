"""What makes the rows that a model learns from: a Python function, SQL, or dbt."""
