"""Customers who mean well, and look odd: a file each.

Read customer.py first.  Rule: each asks as such clients do, with a key of a tenant of its own, and
tells what it met: what was refused, what came in a lower form, how long it took.
"""
