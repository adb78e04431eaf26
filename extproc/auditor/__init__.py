"""Reads audit logs: whether they are whole, and what they tell.

Rule: it needs neither the sidecar nor its policy, only the files and a public key.
"""
