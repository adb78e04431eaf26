"""Adapters: the only package that speaks gRPC and protobuf, and the only one that awaits.

authz.py answers Envoy's ext_authz, processor.py its ext_proc; protobuf.py translates both into the
events and actions of the core; app.py starts and drains the process.
"""
