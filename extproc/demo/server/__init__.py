"""A model server to protect: real models behind the APIs that real ones speak.

Read in this order: models/ (numbers in, numbers out), apis/ (one file per API), app.py (the
routes), command.py (the process).  Rule: nothing here is faked, delayed or sped up, and nothing
here is of the sidecar: what an attacker could learn without protection, this server tells.
"""
