"""An indicator over many rows: the query for ClickHouse, and the same computation in Python.

Scope of all figures [P]: rows of the indicator's own source; of messages the municipalities that belong to a cluster,
of CBS files every municipality that is configured; no category outside jeugdhulp (47-49). Rows marked as deleted never
count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from domain.field.codes import BUITEN_UITKOMSTEN
from domain.field.dates import as_date, day
from domain.field.definitions import DEFINITIES
from domain.field.geography import GEMEENTEN
from domain.indicators.terms import (
    Herkomst,
    Indicator,
    Rij,
    Rijen,
    Tabel,
    Uitkomst,
    Voorwaarde,
    dag_sql,
    tekst_sql,
)

Groep = Literal["cluster", "gemeente", "aanbieder", "maand"]
_CLUSTER: Final = {code: gemeente.cluster for code, gemeente in sorted(GEMEENTEN.items())}
_BINNEN: Final[dict[Herkomst, tuple[str, ...]]] = {
    "ijw": tuple(code for code, cluster in _CLUSTER.items() if cluster),
    "cbs": tuple(_CLUSTER),
}
_BUITEN: Final = tuple(sorted(BUITEN_UITKOMSTEN))
#: The date that places a row in a period: event time, never arrival time.
DATUM: Final[dict[Tabel, str]] = {"trajecten": "einddatum", "metingen": "datum"}
#: ``clienten`` is exact up to here unless told otherwise: it decides whether a group is too small to be shown.
CLIENTEN_TOT: Final = DEFINITIES["kleinste_groep"].waarde


def _datum(tabel: Tabel) -> str:
    if tabel not in DATUM:
        raise ValueError(f"rows of {tabel} have no date in the sense of a period")
    return DATUM[tabel]


def _groep_sql(groep: Groep, tabel: Tabel) -> str:
    if groep == "maand":
        datum = _datum(tabel)
        return f"addDays({datum}, 1 - toDayOfMonth({datum}))"
    if groep == "cluster" and tabel != "trajecten":
        codes, clusters = (", ".join(map(tekst_sql, deel)) for deel in (_CLUSTER, _CLUSTER.values()))
        return f"transform(gemeente, [{codes}], [{clusters}], '')"
    return groep


def _bron(tabel: Tabel, herkomst: Herkomst) -> tuple[Voorwaarde, ...]:
    """Which rows of a table came from where; scores come through RAP only."""
    if tabel == "trajecten":
        return (Voorwaarde("bron", (herkomst,)),)
    return (Voorwaarde("soort", ("cbs",), niet=herkomst != "cbs"),) if tabel == "metingen" else ()


def scope(tabel: Tabel, database: str = "sor", herkomst: Herkomst = "ijw") -> str:
    """Which rows of a table belong to the figures, as SQL."""
    delen = [een.sql() for een in (Voorwaarde("gemeente", _BINNEN[herkomst]), *_bron(tabel, herkomst))]
    if tabel == "trajecten":
        return " AND ".join([*delen, Voorwaarde("categorie", _BUITEN, niet=True).sql()])
    buiten = Voorwaarde("categorie", _BUITEN).sql()
    ooit = f"SELECT aanbieder, traject FROM {database}.trajecten WHERE {buiten}"  # noqa: S608
    # Which rows are so now is only asked of the few that ever were: FINAL over the whole table costs ten times as much.
    elders = f"SELECT aanbieder, traject FROM {database}.trajecten FINAL WHERE {buiten}"  # noqa: S608
    elders = f"{elders} AND (aanbieder, traject) IN ({ooit})"
    return " AND ".join([*delen, f"(aanbieder, traject) NOT IN ({elders})"])


def sql(
    indicator: Indicator,
    group_by: Sequence[Groep] = (),
    where: str = "",
    database: str = "sor",
    *,
    peildatum: int | str,
    clienten_tot: int | None = CLIENTEN_TOT,
) -> str:
    """The query of one indicator: the group columns, then ``clienten, teller, noemer, uitgesloten, uitkomst``.

    ``where`` narrows the rows of the table further, such as to a period. Without groups there is one row. The reference
    day is a day number or an SQL expression of a date. ``clienten`` counts up to ``clienten_tot`` and is one more than
    that for any larger number; None counts all, which takes most of the time over millions of rows.
    """
    groepen = [f"{_groep_sql(groep, indicator.tabel)} AS {groep}" for groep in group_by]
    figuur = {
        "aantal": "teller",
        "%": "if(noemer = 0, NULL, 100 * teller / noemer)",
        "gemiddelde": "if(noemer = 0, NULL, teller / noemer)",
    }[indicator.eenheid]
    kolommen = [*groepen, *_sommen(indicator, peildatum, clienten_tot), f"{figuur} AS uitkomst"]
    return _query(indicator, group_by, where, database, kolommen)


def sql_samen(
    indicatoren: Sequence[Indicator],
    group_by: Sequence[Groep] = (),
    where: str = "",
    database: str = "sor",
    *,
    peildatum: int | str,
    clienten_tot: int | None = CLIENTEN_TOT,
) -> str:
    """One query for several indicators over the same rows: the group columns, then four columns for each, in order."""
    eerste = indicatoren[0]
    kolommen = [f"{_groep_sql(groep, eerste.tabel)} AS {groep}" for groep in group_by]
    for indicator in indicatoren:
        if (indicator.tabel, indicator.herkomst) != (eerste.tabel, eerste.herkomst):
            raise ValueError(f"{indicator.sleutel} is not over {eerste.tabel} of {eerste.herkomst}")
        kolommen += _sommen(indicator, peildatum, clienten_tot, f"{indicator.sleutel.replace('-', 'min')}_")
    return _query(eerste, group_by, where, database, kolommen)


def _sommen(indicator: Indicator, peildatum: int | str, clienten_tot: int | None, voor: str = "") -> list[str]:
    peil = dag_sql(peildatum) if isinstance(peildatum, int) else peildatum
    uit = indicator.uitgesloten
    telt = "uniqExactIf" if clienten_tot is None else f"uniqUpToIf({clienten_tot})"
    return [
        f"{telt}(client, {_achter(indicator, peil)}) AS {voor}clienten",
        f"{indicator.teller.sql(peil)} AS {voor}teller",
        f"{indicator.noemer.sql(peil)} AS {voor}noemer",
        f"{uit.sql(peil) if uit else '0'} AS {voor}uitgesloten",
    ]


def _achter(indicator: Indicator, peil: str) -> str:
    """Whose clients stand behind the figure: a row with nothing to add has none."""
    noemer = indicator.noemer
    waar = noemer.voorwaarde(peil)
    return waar if isinstance(noemer.meet, Rijen) else f"{waar} AND {noemer.meet.sql} != 0"


def _query(eerste: Indicator, groepen: Sequence[Groep], where: str, database: str, kolommen: Sequence[str]) -> str:
    tabel = eerste.tabel
    binnen = [scope(tabel, database, eerste.herkomst)]
    binnen += [f"{_datum(tabel)} IS NOT NULL"] if "maand" in groepen else []
    binnen += [f"({where})"] if where else []
    tekst = f"SELECT {', '.join(kolommen)} FROM {database}.{tabel} FINAL WHERE {' AND '.join(binnen)}"  # noqa: S608
    lijst = ", ".join(groepen)
    return f"{tekst} GROUP BY {lijst} ORDER BY {lijst}" if groepen else tekst


def evaluate(
    indicator: Indicator,
    tabellen: Mapping[Tabel, Sequence[Rij]],
    group_by: Sequence[Groep] = (),
    waar: Callable[[Rij], bool] = lambda _rij: True,
    *,
    peildatum: int,
) -> dict[tuple[Any, ...], Uitkomst]:
    """The outcome per group over rows as the contracts have them (dates are day numbers): the newest of each key.

    ``tabellen`` has the table of the indicator and ``trajecten``. Without groups the only key is ``()``.
    """
    tabel, herkomst = indicator.tabel, indicator.herkomst
    buiten = {(rij["aanbieder"], rij["traject"]) for rij in tabellen["trajecten"] if _elders(rij)}
    groepen: dict[tuple[Any, ...], list[Rij]] = {} if group_by else {(): []}
    for rij in tabellen[tabel]:
        if rij["verwijderd"] or not _binnen(rij, tabel, herkomst, buiten):
            continue
        if waar(rij) and not ("maand" in group_by and rij[_datum(tabel)] is None):
            groepen.setdefault(tuple(_groep(rij, groep, tabel) for groep in group_by), []).append(rij)
    return {groep: _uitkomst(indicator, rijen, peildatum) for groep, rijen in groepen.items()}


def _binnen(rij: Rij, tabel: Tabel, herkomst: Herkomst, buiten: set[tuple[str, str]]) -> bool:
    """``scope`` for a row."""
    if rij["gemeente"] not in _BINNEN[herkomst] or not all(een.geldt(rij) for een in _bron(tabel, herkomst)):
        return False
    if tabel == "trajecten":
        return rij["categorie"] not in BUITEN_UITKOMSTEN
    return (rij["aanbieder"], rij["traject"]) not in buiten


def _elders(rij: Rij) -> bool:
    return not rij["verwijderd"] and rij["categorie"] in BUITEN_UITKOMSTEN


def _groep(rij: Rij, groep: Groep, tabel: Tabel) -> Any:
    if groep == "maand":
        return day(as_date(rij[_datum(tabel)]).replace(day=1))
    if groep == "cluster":
        return _CLUSTER[rij["gemeente"]]
    return rij[groep]


def _uitkomst(indicator: Indicator, rijen: Sequence[Rij], peildatum: int) -> Uitkomst:
    meet = indicator.noemer.meet
    achter = [rij for rij in indicator.noemer.rijen(rijen, peildatum) if isinstance(meet, Rijen) or meet.van(rij)]
    uit = indicator.uitgesloten
    return Uitkomst(
        len({rij["client"] for rij in achter}),
        indicator.teller.som(rijen, peildatum),
        indicator.noemer.som(rijen, peildatum),
        uit.som(rijen, peildatum) if uit else 0,
    )
