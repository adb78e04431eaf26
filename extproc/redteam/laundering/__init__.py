"""What a thief does to a stolen copy so that marks in it do not survive.

Rule: a removal is a function from a copy to a copy, which asks the victim nothing; what it costs is
what the copy loses by it.  `attacks/laundering.py` and `attacks/laundering_vectors.py` try them,
and the owner (`extproc.redteam.owner`) says what of the marks is left.
"""
