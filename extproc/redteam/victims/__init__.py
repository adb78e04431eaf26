"""The models that are attacked, as far as the red team knows them: a file each.

Rule: what an attacker may know (shapes, data of its own) and what only the judge may (held-out
inputs, who was trained on) stand in different fields; no attack reads `secret`.
"""
