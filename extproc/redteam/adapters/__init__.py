"""How one API is asked, and where its answers lie: a file each.

Rule: an adapter reads as a greedy client would, and takes what it can use; what an answer lacks is
lacking, never an error.
"""
