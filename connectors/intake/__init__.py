"""HTTP intake: a connector for many sources at once, run on their side with public keys only (docs/intake.md).

``server.serve`` is the process, ``api.Intake.upload`` the way of one upload, ``work`` what happens to its content.
"""
