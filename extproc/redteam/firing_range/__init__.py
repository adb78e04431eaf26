"""Where the shipped victims stand behind the shipped policies: processes of their own.

Read in this order: policies.yaml (what is attacked), issue.py (tenants and keys for the attackers),
process.py, model_server.py and gateway.py (what runs), firing_range.py (all of it together).  Rule:
everything is started as an operator would, by the command line, and ended when the block ends.
"""
