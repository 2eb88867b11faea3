"""Tables of files, buckets and databases: one module for each kind of store."""
