"""Code lists of iJw 3.2 and CBS that the monitor reads. Labels are Dutch, as users see them.

Source: the iJw code lists named at each table; [R] and [P] marks stand where a column is ours.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Reden(NamedTuple):
    """One end reason of JZ588: label, class for uitval [R] and the CBS 3.7 code [R] (empty = none)."""

    label: str
    klasse: str
    cbs: str


#: JZ588 reden beëindiging [F]. The class is a reading: no source gives it as a table. 20 is a pause and ends nothing.
REDENEN: Final[dict[str, Reden]] = {
    "02": Reden("Overlijden", "neutraal", "05"),
    "20": Reden("Tijdelijk beëindigd", "", ""),
    "31": Reden("Volgens plan beëindigd", "gepland", "01"),
    "32": Reden("Voortijdig, eenzijdig door cliënt", "client", "03"),
    "33": Reden("Voortijdig, eenzijdig door aanbieder", "aanbieder", "04"),
    "34": Reden("Voortijdig, in overeenstemming", "wederzijds", "02"),
    "35": Reden("Voortijdig, externe omstandigheden", "neutraal", "05"),
    "36": Reden("Geïnitieerd door gemeente", "administratief", "05"),
    "37": Reden("Wijzigingsverzoek", "administratief", "02"),
    "38": Reden("Overstap andere aanbieder", "neutraal", "02"),
    "39": Reden("Uitstroom ander domein", "neutraal", "01"),
}
REDEN_PAUSE: Final = "20"
UITVAL_CLASSES: Final = ("client", "aanbieder", "wederzijds")

#: JZ020 ProductCategorie [F]; code 39 does not exist.
PRODUCTCATEGORIEEN: Final[dict[str, str]] = {
    "31": "(2015) zonder verblijf: wijk- of buurtteam",
    "32": "(2015) ambulant op locatie aanbieder",
    "33": "(2015) daghulp op locatie aanbieder",
    "34": "(2015) in netwerk van de jeugdige",
    "35": "(2015) pleegzorg",
    "36": "(2015) gezinsgericht",
    "37": "(2015) gesloten plaatsing",
    "38": "(2015) overig residentieel",
    "40": "Persoonlijke verzorging",
    "41": "Dagbehandeling",
    "42": "Vervoerdiensten",
    "43": "Jeugdhulp verblijf (incl. behandeling)",
    "44": "Jeugdhulp verblijf (excl. behandeling)",
    "45": "Jeugdhulp ambulant",
    "46": "Jeugdhulp crisis",
    "47": "Jeugdreclassering",
    "48": "Jeugdbescherming",
    "49": "Activiteiten preventief justitieel kader",
    "50": "Maatwerkarrangementen jeugd",
    "51": "Generalistische basis-ggz",
    "52": "Specialistische ggz",
    "53": "Kindergeneeskunde",
    "54": "Jeugd-ggz",
    "55": "Landelijk ingekochte zorg",
}
#: Not jeugdhulp in the CBS sense; left out of outcome figures [P].
OUTSIDE_OUTCOMES: Final = frozenset({"47", "48", "49"})

GESLACHT: Final[dict[str, str]] = {"0": "Onbekend", "1": "Mannelijk", "2": "Vrouwelijk"}  # COD046
DATUM_USAGE: Final[dict[str, str]] = {"1": "dag onbekend", "2": "dag en maand onbekend", "3": "onbekend"}  # COD170
DEBET_CREDIT: Final[dict[str, str]] = {"C": "credit", "D": "debet"}  # COD043
EENHEDEN: Final[dict[str, str]] = {  # WJ756
    "01": "Minuut",
    "04": "Uur",
    "14": "Etmaal",
    "16": "Dagdeel (4 uur)",
    "82": "Stuks (output)",
    "83": "Euro's",
    "84": "Stuks (inspanning)",
}
EENHEID_EURO: Final = "83"
#: COD467 has 1, 2, 3 and 9; only these two are allowed (CS058, OP033x2).
STATUS_FIRST, STATUS_REMOVE = 1, 3
STATUS_ALLOWED: Final = frozenset({STATUS_FIRST, STATUS_REMOVE})

#: COD327 = CBS 3.2 verwijzer [F]; there is no 07.
VERWIJZERS: Final[dict[str, str]] = {
    "01": "Gemeente(lijke toegang)",
    "02": "Huisarts",
    "03": "Jeugdarts",
    "04": "Gecertificeerde instelling",
    "05": "Medisch specialist",
    "06": "Geen verwijzer / zelfverwijzer",
    "08": "Rechter, OvJ, functionaris JJI",
}
#: CBS 3.3 hulpvorm [F].
HULPVORMEN: Final[dict[str, str]] = {
    "01": "wijk- of buurtteam",
    "02": "ambulant op locatie aanbieder",
    "03": "daghulp op locatie aanbieder",
    "04": "in het netwerk van de jeugdige",
    "11": "pleegzorg",
    "12": "gezinsgericht",
    "13": "gesloten plaatsing",
    "14": "ander verblijf bij aanbieder",
}
#: JZ020 category -> CBS hulpvorm where the labels agree [R]; for 40 to 55 no source says it.
HULPVORM_OF_CATEGORIE: Final[dict[str, str]] = {
    "31": "01",
    "32": "02",
    "33": "03",
    "34": "04",
    "35": "11",
    "36": "12",
    "37": "13",
    "38": "14",
}
#: CBS 3.4 gestart met crisis [F].
CRISIS: Final[dict[str, str]] = {"01": "ja", "02": "nee"}
#: CBS 3.7 reden beëindiging [F].
CBS_REDENEN: Final[dict[str, str]] = {
    "01": "volgens plan",
    "02": "voortijdig in overeenstemming",
    "03": "voortijdig eenzijdig door cliënt",
    "04": "voortijdig eenzijdig door aanbieder",
    "05": "voortijdig door externe omstandigheden",
}
#: CBS V, M, O -> COD046 [F].
CBS_GESLACHT: Final[dict[str, str]] = {"V": "2", "M": "1", "O": "0"}
#: JZ002 RedenWijziging [F] -> the stop reason that goes with it; empty = none. 01 is withdrawn (CS336).
REDENEN_CHANGE: Final[dict[str, str]] = {
    "02": "02",
    "03": "36",
    "04": "",
    "05": "36",
    "06": "39",
    "07": "35",
    "08": "36",
    "09": "38",
    "10": "36",
    "11": "36",
    "12": "37",
    "13": "",
    "14": "",
}
CHANGE_MERGER, CHANGE_REMOVED = "11", "13"
FREQUENTIES: Final[dict[str, str]] = {"1": "per dag", "2": "per week", "4": "per maand", "6": "totaal"}
#: WJ001: codes of an answer that do not reject (3.8): no remark, not judged, declaration accepted.
RETOUR_ACCEPTS: Final = frozenset({"0200", "0233", "8001"})
#: The form of a return code (WJ001); no code of ours has it.
is_return_code: Final = re.compile(r"[0-9A-Z][0-9]{3}").fullmatch

#: Why a delivery was taken back [P]. A list and no text, for it is kept for ever and a text could hold a name.
TAKEBACK_REASONS: Final = (
    "",
    "verkeerd bestand",
    "verkeerde periode",
    "verkeerde aanbieder",
    "dubbel",
    "op verzoek",
    "anders",
)
#: Why a client is to be forgotten [P]: the right to erasure (GDPR 17, Jeugdwet 7.3.9), an end of keeping, or an error.
ERASURE_REASONS: Final = ("", "op verzoek", "bewaartermijn voorbij", "ten onrechte aangeleverd", "anders")
#: In whose name the third party's own front desk asks it: no provider has this AGB code.
FRONT_DESK: Final = "00000000"
