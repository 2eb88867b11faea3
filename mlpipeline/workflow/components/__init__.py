"""The components that standard workflows are made of; each imports its library when it is used."""
"""What comes with the package for each type of component; all of it is thin, and loaded on use."""
