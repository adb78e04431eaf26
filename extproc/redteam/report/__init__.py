"""What a run has measured, for people and for programs.

Read in this order: header.py (what was run), model.py (rows to intervals, curves and costs),
verdicts.py (which goals hold), document.py (what a page is made of), chapters.py and standards.py
(what the two reports say), plots.py, as_html.py, as_markdown.py and as_json.py, report.py (all of
them, into a directory).

Rule: the same rows, header and goals give the same bytes.  Everything that came from a row, a
header or a goal is text, and is escaped by the rendering that it goes into.
"""
