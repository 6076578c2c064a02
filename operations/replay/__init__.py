"""``sor replay``: rows made anew from the log under other definitions, beside the rows in use, and what differs.

``scope`` says whose rows, ``spill`` bounds the memory, ``recompute`` is the pure step from a client's events to rows,
``work`` is one process of it and ``engine`` runs several and remembers what is done (``manifest``). The rows go to
tables beside those in use (``shadow``); ``difference`` compares, ``page`` shows it, ``swap`` exchanges the tables and
hands the definitions over to the live stage (``handover``).
"""
