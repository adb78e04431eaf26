"""Detection while the sidecar serves: what watches, and who is told of what it finds.

Rule: nothing here stands in a request's way; what finds no place in a bounded queue is counted.
"""
