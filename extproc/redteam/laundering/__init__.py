"""What a thief does to a stolen copy so that marks in it do not survive.

Rule: a removal is a function from a copy to a copy, which asks the victim nothing; what it costs is
what the copy loses by it.  There are no marks in this version: `attacks/laundering.py` measures the
loss, and whoever marks answers measures what of the mark is left beside it.
"""
