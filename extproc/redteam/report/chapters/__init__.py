"""What the report says, a chapter a file; contents.py puts them in order.

Rule: a chapter takes what was measured and gives a section, or None where nothing of its kind was.
"""
