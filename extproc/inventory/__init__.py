"""``extproc inventory``: what a policy exposes, to whom, and how many bits of it.

Read in this order: report.py (what is said, as types), survey.py (read from the policy),
rating.py (how much exposure that is, and why), and one module for each format.  Rule: what is
printed is the policy and what follows from it; no secret, no hash of a key, no principal.
"""
