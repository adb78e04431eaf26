"""``extproc privacy``: what is promised, what was told, and how much may still be.

Rule: the ledger is the sidecar's, asked over its control socket; what an answer costs is read in
the policy file.  Nothing here knows where counters are.
"""
