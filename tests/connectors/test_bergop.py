"""The BergOp feed: CEM+ with a municipality; what is not of a configured one is counted and goes nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.answer import report
from connectors.delivery.connector import Connector
from connectors.formats.files import InputFile
from connectors.formats.model import Afwijzing, Choices, FileFault, FileRecord
from domain.facts.fact import Meting
from tests.connectors.support import AGB, BSN, BSNS, CEM_HEADER, cem_rows, make_keys, parse_twice, table
from tests.connectors.support import ThirdParty as Third
from transport.clients import Cluster

HEADER = (*CEM_HEADER, "gemeente")


def feed(*metingen: tuple[str, str], bsn: str = BSN) -> bytes:
    """Metingen as ``(meting_id, gemeente)``."""
    rows = [(*row, gemeente) for meting, gemeente in metingen for row in cem_rows(meting, bsn=bsn)]
    return table(HEADER, rows)


def passed(records: list[FileRecord]) -> list[bytes]:
    """The metingen that pass."""
    return [record.inhoud.meting for record in records if isinstance(record.inhoud, Meting)]


@pytest.mark.parametrize(
    ("gemeente", "passes"),
    [
        ("0363", True),
        ("363", True),  # a spreadsheet lost the zero
        ("Amsterdam", True),
        (" edam-volendam ", True),
        ("0457", True),  # Weesp, since merged into Amsterdam
        ("0034", False),  # Almere has its own system
        ("Almere", False),
        ("0599", False),
        ("", False),
        ("elders", False),
    ],
)
def test_only_configured_municipalities_pass(gemeente: str, passes: bool) -> None:
    assert passed(parse_twice("cem", feed(("1-1", gemeente)))) == ([b"1-1"] if passes else [])


def test_the_configured_municipalities_are_a_choice() -> None:
    data = feed(("1-1", "0363"), ("1-2", "0384"))
    assert passed(parse_twice("cem", data, choices=Choices(frozenset({"0384"})))) == [b"1-2"]


def test_a_meting_with_a_row_of_elsewhere_is_dropped_as_a_whole() -> None:
    rows = [(*row, "0363" if n else "0599") for n, row in enumerate(cem_rows("1-1"))]
    assert parse_twice("cem", table(HEADER, rows)) == []


def test_the_municipality_is_a_filter_and_no_part_of_the_fact() -> None:
    rows = [(*row, "0363" if n else "0384") for n, row in enumerate(cem_rows("1-1"))]
    assert passed(parse_twice("cem", table(HEADER, rows))) == [b"1-1"]


def test_a_wrong_row_of_elsewhere_is_dropped_and_not_refused() -> None:
    assert parse_twice("cem", feed(("1-1", "0599"), bsn="999900007")) == []
    (record,) = parse_twice("cem", feed(("1-1", "0363"), bsn="999900007"))
    assert record.inhoud == Afwijzing("C01", "bsn")


def test_the_rest_is_counted_and_nothing_of_it_travels(tmp_path: Path) -> None:
    keys = make_keys(tmp_path / "keys")
    third = Third(keys)
    data = feed(("1-1", "0363"), ("1-2", "0599"), ("1-3", "0034"), ("1-4", "0384"))
    with Connector(keys, Cluster("nowhere"), publisher=third, receipts=third) as connector:
        delivery = connector.publish_bytes("bergop.csv", data)
        other = Connector(
            keys, Cluster("nowhere"), publisher=third, receipts=third, choices=Choices(frozenset({"0384"}))
        )
        assert other.publish_bytes("bergop.csv", data).id != delivery.id  # other records: another delivery
    assert (delivery.kind, delivery.sender, delivery.lines) == ("cem", AGB, 2)
    assert len(third.sent) == 3
    shown = "\n".join(report.first_step(delivery))
    assert "2 metingen van een niet-deelnemende gemeente weggelaten" in shown
    assert report.as_json(delivery, None)["bestanden"][0]["technisch"]["buiten_gemeente"] == 2
    assert all(bsn not in shown for bsn in BSNS[:3])


def test_a_feed_of_elsewhere_only_is_not_delivered(tmp_path: Path) -> None:
    keys = make_keys(tmp_path / "keys")
    third = Third(keys)
    connector = Connector(keys, Cluster("nowhere"), publisher=third, receipts=third)
    with connector, pytest.raises(FileFault, match="B16"):
        connector.publish_bytes("bergop.csv", feed(("1-1", "0599")))
    assert third.sent == []


def test_a_feed_of_many_providers_is_a_delivery_for_each(tmp_path: Path) -> None:
    """What names no provider is told once; what is of elsewhere is nobody's; nothing is refused for being another's."""
    other, elsewhere = "94000002", "94000003"
    rows = [
        *((*row, "0363") for row in cem_rows("1-1")),
        *((*row, "0384") for row in cem_rows("2-1", provider=other, bsn=BSNS[1])),
        *((*row, "0599") for row in cem_rows("2-2", provider=other, bsn=BSNS[1])),
        *((*row, "0599") for row in cem_rows("3-1", provider=elsewhere, bsn=BSNS[2])),
        *((*row, "0363") for row in cem_rows("4-1", provider="nobody")),
    ]
    folder = make_keys(tmp_path / "keys")
    third = Third(folder)
    refused: list[FileFault] = []
    given = InputFile("feed.csv", "feed.csv", 0, content=table(HEADER, rows))
    with Connector(folder, Cluster("nowhere"), publisher=third, receipts=third) as connector:
        found = list(connector.deliveries([given], connector.run(), refused.append))
        receipts = []
        for delivery in found:
            connector.publish(delivery)
            receipts.append(connector.receipt(delivery))
    assert refused == []
    assert [delivery.sender for delivery in found] == [AGB, other]
    assert len({delivery.id for delivery in found}) == 2
    assert [file.context.tally.outside for delivery in found for file in delivery.files] == [0, 1]
    assert [(r.geaccepteerd, r.codes) for r in receipts if r] == [(1, {"C08": 1}), (1, {})]


def test_with_a_provider_named_the_feed_is_that_providers_alone(tmp_path: Path) -> None:
    rows = [(*row, "0363") for agb in (AGB, "94000002") for row in cem_rows(f"{agb}-1", provider=agb)]
    folder = make_keys(tmp_path / "keys")
    third = Third(folder)
    given = InputFile("feed.csv", "feed.csv", 0, content=table(HEADER, rows))
    with Connector(folder, Cluster("nowhere"), publisher=third, receipts=third) as connector:
        (delivery,) = connector.deliveries([given], connector.run(AGB), list[FileFault]().append)
    assert (delivery.sender, delivery.files[0].codes) == (AGB, {"C11": 1})
