"""A message system that publishes to Kafka itself, and asks the intake what became of it (docs/upstream.md).

``python docs/examples/upstream.py FOLDER`` delivers every message of a folder. Settings come from the environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

from connectors.delivery.connector import Connector
from connectors.formats.model import FileFault
from connectors.over_intake import Intake, IntakeReceipts
from domain.field.messages import text
from settings.access import intake_endpoint, kafka_cluster
from settings.settings import load_settings


def main(folder: Path) -> int:
    """The number of messages that were not accepted as a whole."""
    settings, missing = load_settings(), 0
    endpoint = intake_endpoint(settings)
    if endpoint is None:
        raise SystemExit("SOR_INTAKE says where receipts are.")
    receipts = IntakeReceipts(Intake(endpoint))
    with Connector(settings.keys, kafka_cluster(settings), receipts=receipts) as connector:
        for path in sorted(folder.iterdir()):
            try:
                delivery = connector.publish_bytes(path.name, path.read_bytes())
            except FileFault as fault:  # of no kind, or without a sender: nothing was published
                sys.stdout.write(f"{path.name}: {text(fault.code)}\n")
                missing += 1
                continue
            receipt = connector.receipt(delivery, wait=30.0)
            good = receipt is not None and receipt.klaar and not receipt.afgekeurd
            # Without a receipt in time nothing is lost: the same message again later counts once.
            outcome = "geaccepteerd" if good else receipt.codes if receipt else "onbekend"
            sys.stdout.write(f"{path.name}: {delivery.id} {outcome}\n")
            missing += not good
    return missing


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
