"""What a request through the sidecar costs, next to the same Envoy without it: ``make bench``.

Read in this order: bodies.py (what is asked and answered), upstream.py and floor.py (programs),
listeners.py and rig.py (one Envoy with five listeners), client.py (the load), then what is
measured: throughput.py, latency.py, streams.py, memory.py through Envoy, own.py, checking.py,
rewriting.py and counting.py without it; figures.py, report.py (what becomes of the numbers).

Rule: phases with and without take turns in one run, so that a ratio compares like with like on a
machine whose speed changes; absolute figures belong to the machine that is named beside them.
"""
