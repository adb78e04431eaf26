"""What an operator sees of budgets and of suspects, and may do about them.

Read in this order: forecast.py (when a budget will be used up), rows.py (one counter, in the units
of the policy file), directory.py (whose counters there are), suspects.py (what is told of a
suspect), messages.py (what is asked and answered over the control socket).  Doing it is
server/acts.py's business, asking extproc/tenants' and extproc/suspects'.
"""
