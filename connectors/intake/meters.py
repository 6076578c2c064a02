"""The metrics of the intake. No label holds a provider, a client or a delivery.

Kept beside the intake in the form of ``monitoring.metrics``: names, meanings and remedies in one typed list.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from monitoring.metrics import Metric

#: How an upload ended: the values of the label ``outcome``.
OUTCOMES: Final = (
    "accepted",  # 202: every record is at the broker
    "refused",  # 422: of no kind that can be counted
    "unauthorised",  # 401
    "not_trusted",  # 403: certificate, signature, or for another provider
    "too_large",  # 413
    "unsupported",  # 415
    "invalid",  # 400
    "limited",  # 429
    "full",  # 503: no memory left
    "down",  # 503: the broker takes nothing, or a worker was lost
    "slow",  # 408
    "cut",  # the connection ended before the upload did
    "fault",  # 500: a fault of this program
)
#: Why a connection was closed without an answer: the values of the label ``outcome`` there.
DROPS: Final = (
    "room",  # the oldest silent one, for a new one
    "slow",  # no token in time
    "large",  # the head of a request was too long
    "handshake",  # no TLS, or not ours
    "full",  # every connection has shown a token: there is no room
)
CATALOGUE: Final = (
    Metric(
        "sor_intake_uploads_total",
        "counter",
        ("outcome",),
        "Uploads by how they ended.",
        "full or down: look at the memory in use and at the broker. fault: read the log; the sender may try again.",
    ),
    Metric(
        "sor_intake_upload_seconds",
        "histogram",
        (),
        "Time from the last byte of an upload to its acknowledgement.",
        "Growing: see the uploads at once; add workers, up to the number of cores.",
    ),
    Metric(
        "sor_intake_held_bytes",
        "gauge",
        (),
        "Memory reserved for uploads that are read, wait or are processed.",
        "Near its limit: senders get 503 and come back; add workers or memory.",
    ),
    Metric(
        "sor_intake_uploads_open",
        "gauge",
        (),
        "Uploads that are read, wait or are processed.",
        "Grows while the broker is slow or the workers are too few.",
    ),
    Metric(
        "sor_intake_connections_open",
        "gauge",
        (),
        "Connections.",
        "Near its limit: see which of them are silent.",
    ),
    Metric(
        "sor_intake_silent_open",
        "gauge",
        (),
        "Connections that have not shown a token yet.",
        "Many, and for long: somebody opens them and says nothing; they push each other out and nobody else.",
    ),
    Metric(
        "sor_intake_dropped_total",
        "counter",
        ("outcome",),
        "Connections closed without an answer.",
        "room or slow, and many: somebody opens connections and says nothing. full: raise the limit of connections.",
    ),
    Metric(
        "sor_intake_receipts",
        "gauge",
        (),
        "Receipts that can be searched.",
        "Zero while deliveries are made: see whether the stage deliveries runs.",
    ),
    Metric(
        "sor_intake_workers_lost_total",
        "counter",
        (),
        "Workers that ended in the middle of an upload.",
        "Any: out of memory, or a file that breaks the parser; the system's log says which.",
    ),
)

_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_MEANING: Final = {metric.name: metric.meaning for metric in CATALOGUE}

UPLOADS: Final = Counter("sor_intake_uploads_total", _MEANING["sor_intake_uploads_total"], ("outcome",))
SECONDS: Final = Histogram("sor_intake_upload_seconds", _MEANING["sor_intake_upload_seconds"], buckets=_BUCKETS)
HELD: Final = Gauge("sor_intake_held_bytes", _MEANING["sor_intake_held_bytes"])
OPEN: Final = Gauge("sor_intake_uploads_open", _MEANING["sor_intake_uploads_open"])
RECEIPTS: Final = Gauge("sor_intake_receipts", _MEANING["sor_intake_receipts"])
LOST: Final = Counter("sor_intake_workers_lost_total", _MEANING["sor_intake_workers_lost_total"])
CONNECTIONS: Final = Gauge("sor_intake_connections_open", _MEANING["sor_intake_connections_open"])
SILENT: Final = Gauge("sor_intake_silent_open", _MEANING["sor_intake_silent_open"])
DROPPED: Final = Counter("sor_intake_dropped_total", _MEANING["sor_intake_dropped_total"], ("outcome",))

for _outcome in OUTCOMES:  # a counter that first appears with a value shows no increase
    UPLOADS.labels(outcome=_outcome)
for _drop in DROPS:
    DROPPED.labels(outcome=_drop)
