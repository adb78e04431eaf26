"""Envoy sidecar that makes a machine-learning API expensive to copy.

Read in this order: prediction.py and events.py (the vocabulary), exchange.py (one request as a
state machine), rewriter.py (what an answer may still reveal), admission.py (who may ask),
policy.py (what is decided), server/ (how Envoy reaches it).  docs/walk.md follows one request
through these files.
"""
