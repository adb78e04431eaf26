"""Whether a model is a copy of ours, and of what was answered to whom: `extproc ownership`.

Rule: a false accusation is the worst failure.  What counts was committed to in a signed chain
before the suspect was known; each part that is missing counts against the accusation; whom it falls
on is decided by an exact test, corrected for all who were looked at, at a level that no option
lowers.

Read in this order: commitments.py (what the audit log holds), vault_file.py (what was opened),
evidence.py (both together, by whom it was told), questions.py (what is asked), suspect.py and
asking.py (whom, and how), judging.py and traces.py (what it proves, of labels and of embeddings),
report.py, page.py and sealing.py (what is handed on).  tokenizer_file.py and word_tokens.py make
the vocabulary that texts are marked by.
"""
