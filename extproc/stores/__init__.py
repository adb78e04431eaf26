"""Where counters and nonces live.  Every store passes tests/stores/contract.py and replays.py."""
