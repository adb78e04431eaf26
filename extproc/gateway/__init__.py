"""Envoy and the sidecar together on this machine, in front of a model server.

Read in this order: up, starter, running, beside, process, launch, probe, binary.
"""
