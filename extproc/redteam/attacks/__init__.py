"""The attacks, a file each; roster.py lists them."""
