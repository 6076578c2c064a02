"""HTTP intake: a connector for many senders at once, run at the source's side with public keys only (docs/intake.md).

``server.serve`` is the process, ``api.Intake.upload`` the way of one upload, ``work`` what happens to its content.
"""
