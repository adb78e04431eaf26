"""What shows the product working on one machine: real models, and a run in front of them.

Read in this order: command; policy_file, model_server, stage (what runs); interactive; once, which
asks (cases, client, dialogue, access, failure), reads what came (answer, figures, preview), judges
(verdict, *_protections) and tells (report, table).  The model server is in server/.
"""
