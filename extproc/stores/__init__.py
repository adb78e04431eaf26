"""Where counters live.  Every store passes tests/stores/contract.py."""
