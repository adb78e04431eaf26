"""A gateway of the user's own: what a target file says, and what can be tried on it.

Read in this order: target_file.py (what is written), material.py (the inputs it names), target.py
(the victim that comes of it, and where it stands).
"""
