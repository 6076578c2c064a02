"""The description of the intake for programs (OpenAPI 3.1); a test holds the running intake against it."""

from __future__ import annotations

from typing import Any, Final

from connectors.intake.asked import LONGEST_NAME, MOST_PER_PAGE
from connectors.intake.config import IntakeLimits
from connectors.intake.documents import CURSOR
from connectors.intake.index import STATUSES
from connectors.intake.problems import CONTENT_TYPE, Kind
from domain.field.words import DELIVERABLE, KIND_LABELS
from schemas.topics import IN_TOPIC

Json = dict[str, Any]
_TEXT: Final[Json] = {"type": "string"}
_WHOLE: Final[Json] = {"type": "integer", "minimum": 0}
_COUNTED: Final[Json] = {"type": "integer", "minimum": 1, "maximum": 9_999_999}
_YES_NO: Final[Json] = {"type": "boolean"}
_ID: Final[Json] = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_AGB: Final[Json] = {"type": "string", "pattern": "^[0-9]{8}$"}
_MOMENT: Final[Json] = {"type": "string", "format": "date-time"}
_KIND: Final[Json] = {
    "type": "string",
    "enum": list(IN_TOPIC),
    "description": "; ".join(f"{kind}: {KIND_LABELS[kind]}" for kind in IN_TOPIC),
}
_STATUS: Final[Json] = {"type": "string", "enum": list(STATUSES)}
_SECURITY: Final[list[Json]] = [{"token": []}, {"certificaat": []}]


def _object(required: Json, optional: Json | None = None) -> Json:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _list(of: Json) -> Json:
    return {"type": "array", "items": of}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


_COUNT: Final = _object({"code": _TEXT, "aantal": _WHOLE, "melding": _TEXT})
_FOUND: Final = _object({"code": _TEXT, "nr": _WHOLE, "veld": _TEXT, "melding": _TEXT})
_REFUSED: Final = _object({"code": _TEXT, "melding": _TEXT, "gevonden": _list(_FOUND)})
_SUMMARY: Final[Json] = {
    "aanlevering": _ID,
    "soort": _KIND,
    "afzender": _AGB,
    "test": _YES_NO,
    "status": _STATUS,
    "records": _WHOLE,
    "gezien": _WHOLE,
    "geaccepteerd": _WHOLE,
    "afgekeurd": _WHOLE,
    "klaar": _YES_NO,
    "tijd": _MOMENT,
    "ontvangst": _TEXT,
}
_ROW: Final = _object(
    {"record": _WHOLE, "regel": _WHOLE, "regels": _WHOLE, "code": _TEXT, "veld": _TEXT, "melding": _TEXT},
    {"ingetrokken": {**_YES_NO, "description": "De gemeente keurde het later af; anders is het hier geweigerd."}},
)
#: Rules between messages: nothing is refused.
_REMARKS: Final[Json] = {
    "opmerkingen": _list(_COUNT),
    "opmerkingen_records": _list(_object({"record": _WHOLE, "code": _TEXT})),
}
_SCHEMAS: Final[Json] = {
    "Aangenomen": _object(
        {
            "aanlevering": _ID,
            "nieuw": _YES_NO,
            "soort": _KIND,
            "afzender": _AGB,
            "test": _YES_NO,
            "records": _WHOLE,
            "afgekeurd_hier": _WHOLE,
            "codes": _list(_COUNT),
            "geweigerd": {"anyOf": [_REFUSED, {"type": "null"}]},
            "technisch": _object(dict.fromkeys(("regels", "leeg", "kop", "gegevens", "fouten"), _WHOLE)),
            "ontvangst": _TEXT,
        }
    ),
    "Doorgegeven": _object(
        {
            "aanlevering": _ID,
            "nieuw": _YES_NO,
            "soort": _KIND,
            "afzender": _AGB,
            "test": _YES_NO,
            "records": _WHOLE,
            "aangenomen": _WHOLE,
            "ontvangst": _TEXT,
        }
    ),
    "Aanlevering": _object(_SUMMARY),
    "Ontvangst": _object(
        {**_SUMMARY, "codes": _list(_COUNT), "fouten": _list(_ROW)},
        {"regels_geaccepteerd": _WHOLE, "regels_afgekeurd": _WHOLE, "ingetrokken": _WHOLE, "laatste": _MOMENT}
        | {"teruggenomen": {"anyOf": [_MOMENT, {"type": "null"}]}}
        | {"wacht": _list(_object({"reden": _TEXT, "aantal": _WHOLE, "melding": _TEXT}))}
        | _REMARKS,
    ),
    "Bladzijde": _object(
        {"aanleveringen": _list(_ref("Aanlevering")), "volgende": {"type": ["string", "null"]}},
    ),
    "Probleem": _object(
        {"type": _TEXT, "title": _TEXT, "status": _WHOLE, "detail": _TEXT},
        {"code": _TEXT, "melding": _TEXT, "gevonden": _list(_FOUND), "veld": _TEXT, "regel": _WHOLE},
    ),
}


def document(limits: IntakeLimits) -> Json:
    """The whole description, with the limits that are in force."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sturen op Resultaat: aanleveren",
            "version": "1",
            "description": f"Lever {DELIVERABLE} aan en volg de ontvangst. "
            "Hetzelfde bestand heeft hetzelfde kenmerk en telt één keer.",
        },
        "paths": {
            "/deliveries": {"post": _upload(limits), "get": _search()},
            "/deliveries/{id}": {"get": _receipt()},
            "/sealed": {"post": _sealed(limits)},
            "/openapi.json": {"get": _itself()},
        },
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "certificaat": {"type": "mutualTLS"},
            },
        },
    }


def _answer(text: str, schema: Json, **more: Any) -> Json:
    return {"description": text, "content": {"application/json": {"schema": schema}}, **more}


def _problems(*kinds: Kind) -> Json:
    """The refusals of an address, by status; two of one status share a line."""
    found: dict[str, Json] = {}
    for kind in kinds:
        text, status = kind.value.detail, str(kind.value.status)
        if status in found:
            found[status]["description"] += f" Of: {text}"
            continue
        found[status] = {"description": text, "content": {CONTENT_TYPE: {"schema": _ref("Probleem")}}}
        if kind.value.status in (429, 503):
            found[status]["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}}
        if kind.value.status == 401:
            found[status]["headers"] = {"WWW-Authenticate": {"required": True, "schema": _TEXT}}
    return found


def _query(name: str, text: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}


def _upload(limits: IntakeLimits) -> Json:
    name = {"type": "string", "maxLength": LONGEST_NAME // 4}
    return {
        "operationId": "aanleveren",
        "summary": "Eén bestand aanleveren. 202: elk record is bij de berichtenserver.",
        "description": f"Hoogstens {limits.body_bytes} bytes en {limits.rows} regels. De naam kan ook in "
        "Content-Disposition staan; dat heeft de voorkeur, want adressen komen in logbestanden.",
        "security": _SECURITY,
        "parameters": [
            _query("naam", "Naam van het bestand.", name),
            _query("test", "Een proefaanlevering: wel een ontvangst, niets in de cijfers.", _YES_NO),
        ],
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        "responses": {
            "202": _answer(
                "Aangenomen; de inhoudelijke controle volgt in de ontvangst.",
                _ref("Aangenomen"),
                headers={"Location": {"required": True, "schema": _TEXT}},
            ),
            **_problems(
                Kind.INVALID, Kind.BROKEN_OFF, Kind.NO_ACCESS, Kind.SEALED_ONLY, Kind.TOO_SLOW, Kind.TOO_LARGE,
                Kind.KIND, Kind.REFUSED, Kind.TOO_MANY, Kind.FAULT, Kind.FULL, Kind.NO_SERVER,
            ),
        },
    }  # fmt: skip


def _sealed(limits: IntakeLimits) -> Json:
    return {
        "operationId": "doorgeven",
        "summary": "Verzegelde en ondertekende regels van één aanlevering. 202: de berichtenserver heeft ze alle.",
        "description": f"Hoogstens {limits.body_bytes} bytes, in de vorm van docs/envelope.md. Een inhoud mag een deel "
        "van een aanlevering zijn; de ontvangst is er als alle delen er zijn.",
        "security": _SECURITY,
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        "responses": {
            "202": _answer(
                "Aangenomen; de inhoudelijke controle volgt in de ontvangst.",
                _ref("Doorgegeven"),
                headers={"Location": {"required": True, "schema": _TEXT}},
            ),
            **_problems(
                Kind.INVALID, Kind.MALFORMED, Kind.BROKEN_OFF, Kind.NO_ACCESS, Kind.NOT_TRUSTED, Kind.FOREIGN,
                Kind.TOO_SLOW, Kind.TOO_LARGE, Kind.KIND, Kind.TOO_MANY, Kind.FAULT, Kind.FULL, Kind.NO_SERVER,
            ),
        },
    }  # fmt: skip


def _search() -> Json:
    return {
        "operationId": "zoeken",
        "summary": "Eigen aanleveringen, de nieuwste eerst.",
        "security": _SECURITY,
        "parameters": [
            _query("status", "Alleen deze status.", _STATUS),
            _query("sinds", "Vanaf dit tijdstip.", _MOMENT),
            _query("soort", "Alleen deze soort.", _KIND),
            _query("test", "Alleen, of juist geen, proefaanleveringen.", _YES_NO),
            _query("aanbieder", "Alleen van deze aanbieder.", _AGB),
            _query("aantal", "Per bladzijde.", {"type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE}),
            _query("na", "'volgende' van de vorige bladzijde.", {"type": "string", "pattern": f"^{CURSOR}$"}),
        ],
        "responses": {
            "200": _answer("Een bladzijde.", _ref("Bladzijde")),
            **_problems(Kind.INVALID, Kind.NO_ACCESS, Kind.TOO_MANY, Kind.FAULT, Kind.NO_SERVER),
        },
    }


def _receipt() -> Json:
    found = _answer("De ontvangst zoals zij nu is.", _ref("Ontvangst"))
    found["content"]["text/event-stream"] = {"schema": _TEXT}
    return {
        "operationId": "ontvangst",
        "summary": "De ontvangst van één aanlevering; met Accept: text/event-stream elke stand tot de laatste.",
        "security": _SECURITY,
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": _ID},
            _query("records", "Zoveel records heeft de aanlevering.", _COUNTED),
            _query("aanbieder", "Namens deze aanbieder.", _AGB),
        ],
        "responses": {
            "200": found,
            **_problems(Kind.INVALID, Kind.NO_ACCESS, Kind.UNKNOWN, Kind.TOO_MANY, Kind.FAULT, Kind.NO_SERVER),
        },
    }


def _itself() -> Json:
    answer = {"description": "Deze beschrijving.", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {"summary": "Deze beschrijving.", "responses": {"200": answer, **_problems(Kind.INVALID)}}
