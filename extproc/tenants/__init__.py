"""``extproc tenants``: what is spent of budgets, and what an operator does about it.

Rule: a sidecar that runs does it, over its control socket; nothing here knows where counters are.
"""
