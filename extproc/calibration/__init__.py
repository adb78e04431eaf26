"""From recorded benign traffic to thresholds, and what they are worth.

Read traffic.py and logged.py (files to lines), parts.py (which line serves what), life.py and
lives.py (what a client asked, and what that comes to), forest.py, thresholds.py (where the alarm is
set) and interval.py (what may be claimed of it), then making.py, which puts them together.  Rule:
what a threshold is tried on is later than what it was made of, of other clients, and never looked
at before.
"""
