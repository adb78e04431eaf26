"""One file per API: its requests as types, its answers byte for byte as the real ones shape them.

Rule: what a model says passes through unrounded, and every refusal has the shape of its API.
"""
