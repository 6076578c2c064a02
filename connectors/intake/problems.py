"""Every refusal of a request in one list: status, title and a Dutch sentence that says what to do (RFC 9457).

Nothing of a request is repeated in a problem: no content, no file name, no header and no address.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from aiohttp import web

from domain.field.messages import text
from faults import SenderFault

CONTENT_TYPE: Final = "application/problem+json"
_NO_HEADERS: Final[Mapping[str, str]] = {}


class _Kind(NamedTuple):
    type: str  # last part of the problem's type
    status: int
    title: str
    detail: str
    outcome: str  # of ``meters.OUTCOMES``


class Kind(Enum):
    """The kinds of problem."""

    INVALID = _Kind("ongeldig", 400, "Ongeldig verzoek", "Het verzoek klopt niet.", "invalid")
    BROKEN_OFF = _Kind(
        "afgebroken",
        400,
        "Afgebroken",
        "De verbinding viel weg voor het einde van het bestand. Lever het opnieuw aan.",
        "cut",
    )
    NO_ACCESS = _Kind(
        "geen-toegang",
        401,
        "Geen toegang",
        "Het token ontbreekt, is onbekend, verlopen of ingetrokken. Vraag de beheerder om een nieuw token.",
        "unauthorised",
    )
    MALFORMED = _Kind(
        "vorm",
        422,
        "Geen verzegelde regels",
        "De inhoud heeft niet de vorm van verzegelde regels (docs/envelope.md); er is niets aangenomen. 'veld' en "
        "'regel' zeggen waar.",
        "refused",
    )
    NOT_TRUSTED = _Kind(
        "niet-vertrouwd",
        403,
        "Niet vertrouwd",
        "Het certificaat is niet geldig, mag niet voor deze aanbieder of deze soort, of de handtekening klopt niet. Er "
        "is niets aangenomen. Vraag uw regio om een nieuw certificaat.",
        "not_trusted",
    )
    FOREIGN = _Kind(
        "andere-aanbieder",
        403,
        "Andere aanbieder",
        "Met dit token kunt u niet voor deze aanbieder aanleveren. Er is niets aangenomen. Vraag de beheerder van de "
        "intake.",
        "not_trusted",
    )
    SEALED_ONLY = _Kind(
        "alleen-verzegeld",
        403,
        "Alleen verzegeld",
        "Wie namens anderen of uit een browser aanlevert, verzegelt en ondertekent zelf. Lever verzegelde regels aan "
        "(POST /sealed).",
        "not_trusted",
    )
    UNKNOWN = _Kind(
        "onbekend",
        404,
        "Niet gevonden",
        "Deze aanlevering is niet bekend onder uw AGB-code. Controleer het kenmerk of lever het bestand opnieuw aan; "
        "hetzelfde bestand telt één keer.",
        "invalid",
    )
    NO_PAGE = _Kind("geen-pagina", 404, "Niet gevonden", "Dit adres bestaat niet. Zie /openapi.json.", "invalid")
    METHOD = _Kind(
        "methode", 405, "Methode niet toegestaan", "Dit adres kent deze methode niet. Zie /openapi.json.", "invalid"
    )
    TOO_SLOW = _Kind(
        "te-traag",
        408,
        "Te traag",
        "Het bestand kwam te langzaam binnen en is niet aangeleverd. Lever het opnieuw aan; niets telt dubbel.",
        "slow",
    )
    TOO_LARGE = _Kind("te-groot", 413, "Te groot", text("B05"), "too_large")
    KIND = _Kind(
        "soort",
        415,
        "Niet ondersteund",
        "Stuur het bestand zelf als inhoud van het verzoek: niet gezipt, niet gecomprimeerd en niet als formulier.",
        "unsupported",
    )
    HEADERS = _Kind(
        "te-lange-koppen", 431, "Te lange koppen", "De regels voor de inhoud van het verzoek zijn te lang.", "invalid"
    )
    REFUSED = _Kind("geweigerd", 422, "Bestand geweigerd", "Het bestand kan niet worden aangeleverd.", "refused")
    TOO_MANY = _Kind(
        "te-veel",
        429,
        "Te veel verzoeken",
        "U stuurt te veel tegelijk of te snel achter elkaar. Probeer het na de genoemde wachttijd opnieuw.",
        "limited",
    )
    FAULT = _Kind(
        "fout",
        500,
        "Fout in dit programma",
        "Er ging hier iets mis. Lever het bestand later opnieuw aan; niets telt dubbel. Meld het als het blijft.",
        "fault",
    )
    FULL = _Kind(
        "vol", 503, "Even vol", "Er is nu geen ruimte voor uw bestand. Lever het zo dadelijk opnieuw aan.", "full"
    )
    NO_SERVER = _Kind(
        "geen-server",
        503,
        "Even niet beschikbaar",
        "Het bestand is niet, of niet helemaal, aangenomen. Lever het zo dadelijk opnieuw aan; niets telt dubbel.",
        "down",
    )


class Problem(SenderFault):
    """A refusal; ``retry`` in seconds, ``headers`` of the answer, ``more`` goes into the document as it is."""

    def __init__(
        self, kind: Kind, detail: str = "", retry: float = 0, headers: Mapping[str, str] = _NO_HEADERS, **more: Any
    ) -> None:
        super().__init__(kind.name)
        self.kind, self.retry, self._headers = kind, retry, headers
        self.detail, self.more = detail or kind.value.detail, more

    @property
    def outcome(self) -> str:
        """How the upload ended, for the metrics."""
        return self.kind.value.outcome

    def response(self) -> web.Response:
        """The answer. An upload that was not read to its end closes its connection."""
        status = self.kind.value.status
        document = {
            "type": f"urn:sor:aanlevering:{self.kind.value.type}",
            "title": self.kind.value.title,
            "status": status,
            "detail": self.detail,
            **self.more,
        }
        headers = {"Cache-Control": "no-store", **self._headers}
        if self.retry:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry)))
        if status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="sor"'
        text = json.dumps(document, ensure_ascii=False)
        answer = web.Response(status=status, text=text, headers=headers, content_type=CONTENT_TYPE)
        if self.kind in (Kind.TOO_SLOW, Kind.BROKEN_OFF):
            answer.force_close()
        return answer


def invalid(sentence: str) -> Problem:
    """A request whose form is wrong; the sentence names the part."""
    return Problem(Kind.INVALID, sentence)
