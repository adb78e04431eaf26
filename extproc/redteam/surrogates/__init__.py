"""What copies are trained as: a file each.

Rule: a surrogate is fitted to answers alone, the same answers give the same surrogate, and it is
called with inputs [N, d] and gives labels [N].
"""
