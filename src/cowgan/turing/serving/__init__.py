"""Reading in the browser: a server that gives each reader one package and keeps the journal.

It never opens the key: the folder that it serves may be a copy without it.
"""
