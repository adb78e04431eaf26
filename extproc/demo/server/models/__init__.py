"""The models: real weights and numpy, no framework.

Rule: a model knows nothing of HTTP, is immutable once loaded, and says the same to the same input.
"""
