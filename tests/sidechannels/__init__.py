"""What time and length tell on the client's side of a real Envoy, with shaping and without.

Read in this order: statistics.py (how much is told), pairs.py (what must not be told),
model_server.py, sampling.py (what a client sees), report.py.  ``python -m tests.sidechannels`` runs
it all; CI runs the part of it that is no matter of chance.
"""
