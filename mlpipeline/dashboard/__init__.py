"""The queue in a browser: pages that stay true while they are open, and what a person may ask from them."""
