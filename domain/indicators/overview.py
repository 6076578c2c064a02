"""The national indicators of one group in one document, as the simulator states what must come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.field.codes import UITVAL_KLASSEN
from domain.indicators.terms import Uitkomst

_BANDEN: Final = {"<=4": "laag", ">4 en <8": "midden", ">=8": "hoog"}
_STATUSSEN: Final = ("beeindigd", "gepauzeerd", "lopend")


def overview(cijfers: Mapping[str, Uitkomst]) -> dict[str, Any]:
    """Outcomes by key of ``INDICATOREN`` as one document: counts, percentages 0..100 and the mean to six decimals.

    ``n`` is what a percentage is of, ``uitgesloten`` what was left out of it; None where nothing was counted.
    """
    return {
        "trajecten": {status: _teller(cijfers, f"trajecten_{status}") for status in _STATUSSEN},
        "uitval": _uitval(cijfers),
        "nut": _nut(cijfers),
        "zonder_hulp": _zonder_hulp(cijfers),
        "gas": _gas(cijfers),
    }


def _teller(cijfers: Mapping[str, Uitkomst], sleutel: str) -> int:
    return int(cijfers[sleutel].teller)


def _uitval(cijfers: Mapping[str, Uitkomst]) -> dict[str, Any]:
    uitval = cijfers["uitval"]
    klassen = {klasse: cijfers[f"uitval_{klasse}"] for klasse in UITVAL_KLASSEN}
    return {
        "n": int(uitval.noemer),
        "uitval": int(uitval.teller),
        "percentage": _procent(uitval),
        **{klasse: {"aantal": int(een.teller), "percentage": _procent(een)} for klasse, een in klassen.items()},
        "gepland": _teller(cijfers, "einde_gepland"),
        "uitgesloten": int(uitval.uitgesloten),
    }


def _nut(cijfers: Mapping[str, Uitkomst]) -> dict[str, Any]:
    nut = cijfers["nut_gemiddelde"]
    return {
        "n": int(nut.noemer),
        "gemiddelde": _zes(nut.waarde("gemiddelde")),
        "verdeling": {str(cijfer): _teller(cijfers, f"nut_{cijfer}") for cijfer in range(1, 11)},
        "banden": {naam: _teller(cijfers, f"nut_{band}") for naam, band in _BANDEN.items()},
        "uitgesloten": int(nut.uitgesloten),
    }


def _zonder_hulp(cijfers: Mapping[str, Uitkomst]) -> dict[str, Any]:
    hulp = cijfers["zonder_hulp"]
    return {
        "n": int(hulp.noemer),
        "verdeling": {str(optie): _teller(cijfers, f"zonder_hulp_{optie}") for optie in range(1, 5)},
        "zonder_hulp": int(hulp.teller),
        "percentage": _procent(hulp),
        "uitgesloten": int(hulp.uitgesloten),
    }


def _gas(cijfers: Mapping[str, Uitkomst]) -> dict[str, Any]:
    gas = cijfers["gas_bereikt"]
    return {
        "n": int(gas.noemer),
        "verdeling": {str(waarde): _teller(cijfers, f"gas_score_{waarde}") for waarde in (-1, 0, 1, 2)},
        "bereikt": int(gas.teller),
        "bereikt_percentage": _procent(gas),
        "minstens_deels": _teller(cijfers, "gas_deels"),
        "minstens_deels_percentage": _procent(cijfers["gas_deels"]),
        "uitgesloten": _teller(cijfers, "gas_x"),
    }


def verder(cijfers: Mapping[str, Uitkomst]) -> dict[str, Any]:
    """The rest of the set for rows of messages: new starts, respons in three kinds, distribution of probleemafname."""
    quotienten = (
        "geen_nieuwe_start",
        "geen_nieuwe_start_voorlopig",
        "respons_cem",
        "respons_scores",
        "respons_duurzaam",
    )
    return {
        **{sleutel: _quotient(cijfers[sleutel]) for sleutel in quotienten},
        "probleem": {
            wie: {str(waarde): int(cijfers[f"probleem_{wie}_{waarde}"].teller) for waarde in (1, 2, 3)}
            for wie in ("behandelaar", "ouder", "client")
        },
    }


def cbs(cijfers: Mapping[str, Uitkomst]) -> dict[str, Any]:
    """The set for records of CBS files: uitval over all ends, the mark, going on without help."""
    uitval, nut, hulp = (cijfers[f"cbs_{sleutel}"] for sleutel in ("uitval", "nut_gemiddelde", "zonder_hulp"))
    redenen = ("wederzijds", "client", "aanbieder", "neutraal")
    return {
        "uitval": {
            "n": int(uitval.noemer),
            "uitval": int(uitval.teller),
            **{reden: int(cijfers[f"cbs_uitval_{reden}"].teller) for reden in redenen},
            "percentage": _procent(uitval),
        },
        "nut": {
            "n": int(nut.noemer),
            "gemiddelde": _zes(nut.waarde("gemiddelde")),
            "verdeling": {str(cijfer): int(cijfers[f"cbs_nut_{cijfer}"].teller) for cijfer in range(1, 11)},
        },
        "zonder_hulp": {
            "n": int(hulp.noemer),
            "zonder_hulp": int(hulp.teller),
            "percentage": _procent(hulp),
            "verdeling": {str(optie): int(cijfers[f"cbs_zonder_hulp_{optie}"].teller) for optie in range(1, 5)},
        },
    }


def _quotient(uitkomst: Uitkomst) -> dict[str, Any]:
    return {"teller": int(uitkomst.teller), "n": int(uitkomst.noemer), "percentage": _procent(uitkomst)}


def _procent(uitkomst: Uitkomst) -> float | None:
    return _zes(uitkomst.waarde("%"))


def _zes(waarde: float | None) -> float | None:
    return None if waarde is None else round(waarde, 6)
