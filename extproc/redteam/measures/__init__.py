"""What is computed from what was seen: a file each.

Rule: a measure is a function of numbers alone; where it draws, it takes the generator.
"""
