"""The field as the simulator sees it: geography, products, code weights, questionnaires, definitions.

Own small tables on purpose. The simulator states what must come out, so it leans on no code that computes outcomes.
Weights, inhabitants (rounded) and tariffs are invented for testing.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from domain.field.geography import OLD_CODES, cluster

# Inhabitants of the 13 municipalities, rounded: how clients are spread.
INHABITANTS = {
    "0363": 935_000,
    "0358": 33_000,
    "0362": 95_000,
    "0384": 33_000,
    "0437": 14_000,
    "0451": 31_000,
    "0385": 37_000,
    "0415": 12_000,
    "0431": 10_000,
    "0439": 96_000,
    "0852": 18_000,
    "0880": 17_000,
    "0479": 160_000,
}
CLUSTER_OF = {code: cluster(code) for code in INHABITANTS}

# Current code -> code from before a merger (S1); such a code may still arrive when it was valid on the assignment's
# date (TR378).
BEFORE_MERGER = {new: old for old, new in OLD_CODES.items()}
OUTSIDE_SET = ("0344", "0599", "0518", "0392")  # municipalities outside the set, in the BergOp feed
ALMERE = "0034"


def current(code: str) -> str:
    """The current code of a gemeente as sent."""
    return OLD_CODES.get(code, code)


TOEWIJZING_BEFORE_MERGER = date(2021, 9, 1)


class Product(NamedTuple):
    """A product category with its codes.

    ``duration`` multiplies the median length, ``duurzaam`` gets yearly questionnaires, ``eenheid`` is WJ756; ``tarief``
    in eurocent, 0 where the unit is euros (83).
    """

    categorie: str
    codes: tuple[str, ...]
    weight: int
    duration: float
    duurzaam: bool
    eenheid: str
    tarief: int


PRODUCTS = (
    Product("45", ("45A04", "45A53", "45A65"), 40, 0.95, False, "04", 9_850),
    Product("54", ("54001", "54002", "54003"), 22, 0.9, False, "01", 172),
    Product("41", ("41A03", "41A11"), 9, 0.9, False, "16", 11_400),
    Product("50", ("50A01", "50B02"), 8, 1.0, False, "83", 0),
    Product("46", ("46A03",), 5, 0.2, False, "14", 31_000),
    Product("53", ("53A01",), 2, 0.7, False, "82", 24_500),
    Product("44", ("44A08", "44A14"), 9, 2.2, True, "14", 18_700),
    Product("43", ("43A10",), 5, 2.0, True, "14", 29_900),
    Product("48", ("48A05",), 2, 1.3, False, "82", 61_000),
)
OUTSIDE_OUTCOMES = frozenset({"47", "48", "49"})  # no jeugdhulp in the CBS sense [P]
FREQUENTIE = {"04": "2", "01": "2", "16": "2", "14": "1", "82": "6"}  # WJ756 unit -> frequency of the assignment
PRODUCT_OF = {p.categorie: p for p in PRODUCTS}

# JZ588 reasons at the end of care, with a weight; 20 (pause) is planned apart.
REDENEN = {"31": 600, "32": 125, "33": 40, "34": 95, "35": 30, "36": 25, "37": 20, "38": 40, "39": 22, "02": 3}

UITVAL_KLASSE = {
    "31": "gepland",
    "32": "client",
    "33": "aanbieder",
    "34": "wederzijds",
    "02": "neutraal",
    "35": "neutraal",
    "38": "neutraal",
    "39": "neutraal",
    "36": "administratief",
    "37": "administratief",
}

# JZ588 reason at the end of care -> JZ002 reasons with which the municipality ends the assignment.
REDEN_CHANGE = {
    "02": ("02",),
    "35": ("07",),
    "36": ("03", "05", "08", "10"),
    "37": ("12",),
    "38": ("09",),
    "39": ("06",),
}

# CBS 3.7 reasons -> class for uitval [R], and a weight.
CBS_KLASSE = {"01": "gepland", "02": "wederzijds", "03": "client", "04": "aanbieder", "05": "neutraal"}
CBS_REDENEN = {"01": 60, "02": 12, "03": 14, "04": 5, "05": 9}
CBS_HULPVORMEN = {"01": 10, "02": 45, "03": 12, "04": 10, "11": 6, "12": 5, "13": 1, "14": 11}
CBS_VERWIJZERS = {"01": 50, "02": 25, "03": 5, "04": 8, "05": 5, "06": 4, "08": 3}

# The questions of the only published example (S0); scales are a reading [R]: VR09A/B are marks, the rest options 1..4.
QUESTIONS = (
    *("VR01", "VR02", "VR03", "VR04", "VR05", "VR06", "VR07", "VR07A", "VR07B"),
    *("VR08A", "VR08B", "VR08C", "VR08D", "VR08E", "VR08F", "VR08G", "VR09A", "VR09B", "VR10"),
)
MARK_QUESTIONS = frozenset({"VR09A", "VR09B"})
INFORMANTEN = {"O": ("Moeder", "Vader", "Ouder, verzorger", "Één van beide ouders"), "J": ("Jeugdige", "Jongere zélf")}


class Definitions(NamedTuple):
    """Every definition the expectation rests on, in one place.

    None is fixed by a source: readings [R] and proposals [P].
    """

    chain_days: int = 30  # next Begindatum at most this many days after the previous Einddatum: same traject [P]
    meting_before: int = 30  # einde meting from this many days before Einddatum … [P]
    meting_after: int = 90  # … to this many days after it [P]
    nut_question: str = "VR09A"  # placeholder [P]
    zonder_hulp_question: str = "VR10"  # placeholder [P]
    zonder_hulp_good: tuple[int, ...] = (3, 4)  # options that count for 3.1 (CBS 4.4)
    new_start_days: int = 365  # a new start counts up to this many days after Einddatum [P]
    respons_after: int = 90  # response is asked of trajecten ended at least this many days ago [P]
    low: int = 4  # band "<=4" (S2)
    high: int = 8  # band ">=8" (S2)
    days_after_until: int = 14  # no message is dated later than this many days after --until

    def document(self) -> dict[str, Any]:
        """The definitions under the names of ``expected.json``."""
        return {
            "keten_dagen": self.chain_days,
            "meting_voor": self.meting_before,
            "meting_na": self.meting_after,
            "vraag_nut": self.nut_question,
            "vraag_zonder_hulp": self.zonder_hulp_question,
            "zonder_hulp_goed": self.zonder_hulp_good,
            "nieuwe_start": self.new_start_days,
            "respons_na": self.respons_after,
            "laag": self.low,
            "hoog": self.high,
            "dagtekening_na_einde": self.days_after_until,
        }


DEFINITIONS = Definitions()
