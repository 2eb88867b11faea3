"""The components that standard workflows are made of; each imports its library when it is used."""
