"""Where to ask next, of what was answered: a file each.

Rule: a walk draws from the generator that it is given, and asks all that it can ask at once.
"""
