"""How many thieves detection finds, how soon, and how many others it takes for one.

Run by ``python -m tests.detection``; ``test_measures.py`` guards a quick version, with texts that a
grammar makes.  Read texts.py, populations.py and attackers.py (who asks), judged.py (what the
detectors say of them), curves.py (when), then report.py.
"""
