"""``extproc replay``: what another policy would have made of recorded traffic.

Read ``traffic.py`` (what an audit log tells), ``judge.py`` (what a policy makes of it),
``comparison.py`` (what changes), then ``rendering.py`` and ``command.py``.
"""
