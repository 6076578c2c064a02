"""The national indicators of one group in one document, as the simulator states what must come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.field.codes import UITVAL_CLASSES
from domain.indicators.terms import Sums

_BANDS: Final = {"<=4": "laag", ">4 en <8": "midden", ">=8": "hoog"}
_STATUSES: Final = ("beeindigd", "gepauzeerd", "lopend")


def overview(figures: Mapping[str, Sums]) -> dict[str, Any]:
    """Outcomes by key of ``INDICATORS`` as one document: counts, percentages 0..100 and the mean to six decimals.

    ``n`` is what a percentage is of, ``excluded`` what was left out of it; None where nothing was counted.
    """
    return {
        "trajecten": {status: _count(figures, f"trajecten_{status}") for status in _STATUSES},
        "uitval": _uitval(figures),
        "nut": _nut(figures),
        "zonder_hulp": _zonder_hulp(figures),
        "gas": _gas(figures),
    }


def _count(figures: Mapping[str, Sums], key: str) -> int:
    return int(figures[key].numerator)


def _uitval(figures: Mapping[str, Sums]) -> dict[str, Any]:
    uitval = figures["uitval"]
    classes = {klasse: figures[f"uitval_{klasse}"] for klasse in UITVAL_CLASSES}
    return {
        "n": int(uitval.denominator),
        "uitval": int(uitval.numerator),
        "percentage": _percent(uitval),
        **{klasse: {"aantal": int(one.numerator), "percentage": _percent(one)} for klasse, one in classes.items()},
        "gepland": _count(figures, "einde_gepland"),
        "uitgesloten": int(uitval.excluded),
    }


def _nut(figures: Mapping[str, Sums]) -> dict[str, Any]:
    nut = figures["nut_gemiddelde"]
    return {
        "n": int(nut.denominator),
        "gemiddelde": _six(nut.value("gemiddelde")),
        "verdeling": {str(mark): _count(figures, f"nut_{mark}") for mark in range(1, 11)},
        "banden": {name: _count(figures, f"nut_{band}") for name, band in _BANDS.items()},
        "uitgesloten": int(nut.excluded),
    }


def _zonder_hulp(figures: Mapping[str, Sums]) -> dict[str, Any]:
    zonder_hulp = figures["zonder_hulp"]
    return {
        "n": int(zonder_hulp.denominator),
        "verdeling": {str(option): _count(figures, f"zonder_hulp_{option}") for option in range(1, 5)},
        "zonder_hulp": int(zonder_hulp.numerator),
        "percentage": _percent(zonder_hulp),
        "uitgesloten": int(zonder_hulp.excluded),
    }


def _gas(figures: Mapping[str, Sums]) -> dict[str, Any]:
    gas = figures["gas_bereikt"]
    return {
        "n": int(gas.denominator),
        "verdeling": {str(value): _count(figures, f"gas_score_{value}") for value in (-1, 0, 1, 2)},
        "bereikt": int(gas.numerator),
        "bereikt_percentage": _percent(gas),
        "minstens_deels": _count(figures, "gas_deels"),
        "minstens_deels_percentage": _percent(figures["gas_deels"]),
        "uitgesloten": _count(figures, "gas_x"),
    }


def further(figures: Mapping[str, Sums]) -> dict[str, Any]:
    """The rest of the set for rows of messages: new starts, respons in three kinds, distribution of probleemafname."""
    keys = (
        "geen_nieuwe_start",
        "geen_nieuwe_start_voorlopig",
        "respons_cem",
        "respons_scores",
        "respons_duurzaam",
    )
    return {
        **{key: _quotient(figures[key]) for key in keys},
        "probleem": {
            who: {str(value): int(figures[f"probleem_{who}_{value}"].numerator) for value in (1, 2, 3)}
            for who in ("behandelaar", "ouder", "client")
        },
    }


def cbs(figures: Mapping[str, Sums]) -> dict[str, Any]:
    """The set for records of CBS files: uitval over all ends, the mark, going on without help."""
    uitval, nut, zonder_hulp = (figures[f"cbs_{key}"] for key in ("uitval", "nut_gemiddelde", "zonder_hulp"))
    redenen = ("wederzijds", "client", "aanbieder", "neutraal")
    return {
        "uitval": {
            "n": int(uitval.denominator),
            "uitval": int(uitval.numerator),
            **{reden: int(figures[f"cbs_uitval_{reden}"].numerator) for reden in redenen},
            "percentage": _percent(uitval),
        },
        "nut": {
            "n": int(nut.denominator),
            "gemiddelde": _six(nut.value("gemiddelde")),
            "verdeling": {str(mark): int(figures[f"cbs_nut_{mark}"].numerator) for mark in range(1, 11)},
        },
        "zonder_hulp": {
            "n": int(zonder_hulp.denominator),
            "zonder_hulp": int(zonder_hulp.numerator),
            "percentage": _percent(zonder_hulp),
            "verdeling": {str(option): int(figures[f"cbs_zonder_hulp_{option}"].numerator) for option in range(1, 5)},
        },
    }


def _quotient(sums: Sums) -> dict[str, Any]:
    return {"teller": int(sums.numerator), "n": int(sums.denominator), "percentage": _percent(sums)}


def _percent(sums: Sums) -> float | None:
    return _six(sums.value("%"))


def _six(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
