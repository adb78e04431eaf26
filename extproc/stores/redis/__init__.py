"""The store that replicas share: a Redis or a Valkey, single, behind Sentinels, or a Cluster.

Read counters first; what it runs there is in lua/.  Then what it stands on: words and states (what
goes over the wire), calls, servers, link and connection (to whom), owed and healing (what is to be
made good).
"""
