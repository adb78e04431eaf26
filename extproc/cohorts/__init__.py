"""Callers that belong together, by what links them; and groups of callers that ask too much.

Read ``trail.py`` (what is kept of a caller), ``sharing.py`` (who has what in common, and how rare
that is), the links, a file each (``network``, ``client``, ``probes``, ``timing``, ``complement``),
``link.py`` (what they come to), ``components.py`` (cohorts), ``cohort.py`` (what a cohort has
done), ``lift.py`` (what that says of a member), ``usual.py``, ``affinity.py``, ``excess.py`` and
``groups.py`` (callers of whom no link is known), ``entry.py`` and ``trace.py`` (what replicas tell
each other), then ``linker.py``, which the watcher talks to.
"""
