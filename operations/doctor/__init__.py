"""``sor doctor`` on a running system: what is not as it should be, and what to do about each.

``judging`` decides and knows no client; the modules beside it look (``broker``, ``database``, ``held``) and hand over
what they saw. ``examination`` puts them in order and goes on where a part is away. What could keep the one-machine
stack from running is looked at by ``local.doctor``.
"""
