"""Backup and restore: the log, and what no log yields (docs/decisions/0026-backup-is-the-log.md).

A backup is a folder: ``manifest.json``, written last; per topic and partition compressed files of records; the audit
trail of orders. It holds no key but what is public: ``key_folders`` copies keys into a folder of their own.

``taking`` makes one while the stream runs, ``checking`` reads one whole, ``restoring`` fills an empty broker and an
empty database from one. The stages then make states and rows anew, as they do from any log.
"""
