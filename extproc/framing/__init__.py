"""Bytes to frames and back, for any cutting of the bytes.

Rule: ``feed`` yields the frames that its data completes, ``finish`` what the end of the body
completes, and what they yield together does not depend on how the body was cut.
"""
