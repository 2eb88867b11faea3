"""Makes new things of a project: files from templates, whole projects, and packages of what is in one."""
