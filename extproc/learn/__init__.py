"""From sample answers of an API to the rules under which it could be served.

Read samples.py (files to JSON), then proposals.py (JSON to rules), then rendering.py (rules to
YAML).  Rule: of a sample names, counts and lengths are told, never a value.
"""
