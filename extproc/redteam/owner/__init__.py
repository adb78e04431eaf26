"""Whose a copy is: what the owner of a victim finds in it, by what its gateway keeps of marks.

Rule: the owner is no attacker, and judges as he would outside of the red team: this is the one part
of it that imports the gateway's own code.  What he goes by was kept before he sees the copy, and
attacks know nothing of it.

Read in this order: kept.py (where it is, and who asked), found.py (what comes of it), labels.py and
vectors.py (of classifiers, of embedding models), owners.py (which of both).
"""
