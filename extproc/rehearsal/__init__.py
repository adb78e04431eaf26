"""Requests played through the code that serves, without its wires: what ``extproc explain`` and
``extproc test`` run.

Read in this order: request.py (what is asked, and by whom), play.py (what becomes of it),
reasons.py (why), explanation.py and policy_text.py (what an operator reads), cases.py and trial.py
(policy tests).  Rule: nothing here decides; it calls what does and looks at what came out.
"""
