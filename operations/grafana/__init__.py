"""The Grafana of the audiences, as the list of audiences declares it (``results.dashboards.audiences``).

File provisioning makes no organizations, so they are laid down over Grafana's HTTP API: ``wanted`` says what is to be
there, ``plan`` what is missing (and knows no network), ``laying`` looks and does it over a ``server``. A run twice does
nothing new, and one that broke off goes on.
"""
