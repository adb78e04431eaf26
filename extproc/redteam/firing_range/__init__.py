"""Where the shipped victims stand behind the shipped policies: processes of their own.

Read in this order: policies.yaml, shared.yaml, watched.yaml, private.yaml and marked.yaml (what is
attacked), issue.py (tenants and keys for the attackers), process.py, command.py, redis_server.py
and firing_range.py (what runs), opened.py (all of it together).  Rule: everything is started as an
operator would, by the command line, and ended when the block ends.
"""
