"""The gate of a release: the proof, before anything is published, that no child's outcome is certain from all figures.

``audit.audit`` is the whole; every other module is one step of it over plain arrays. Measured: docs/release.md.
"""
