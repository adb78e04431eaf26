"""``extproc suspects``: who looks as if they copied a model, by what evidence, and what to do."""
