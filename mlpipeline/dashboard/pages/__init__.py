"""What each page shows, read anew whenever it is made."""
