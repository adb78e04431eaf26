"""The red team: attacks a gateway as a stranger would, and says what a copy of the model costs.

Read in this order: request.py and client.py (what goes over the wire), adapters/ (an API's bytes to
numbers), oracle.py (a victim that answers until the budget is spent), attack.py and scene.py (what
an attack is and what it has before it), attacks/ (a file each), judge.py (how good a copy is),
trial.py (one attack on one victim under one policy with one seed), run.py (all of them), report/.

Rule: nothing here is of the sidecar.  What it knows of a policy it has seen over HTTP; the gateways
that it starts itself it starts as anybody would, by the command line.
"""
