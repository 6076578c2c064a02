"""Which role may open which page, by its URL name and method: the one list. Whatever is not in it opens for nobody.

Pure. The menu, the doorman (``portal.people.doorman``) and the test of every page and role read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, get_args

Role = Literal[
    "medewerker", "beheerder", "contractmanager", "gemeenteambtenaar", "functioneel_beheerder", "operator"
]  # fmt: skip
#: Kind of an organization.
Kind = Literal["aanbieder", "gemeente", "cluster", "regio", "derde"]
#: What the doorman decides: open it; log in first; set up a second factor first; not for this role; no such page; not
#: in this way; not before the agreement is signed.
Verdict = Literal["open", "login", "factor", "role", "absent", "method", "agreement"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
#: Role -> what people call it, and the kind of organization that has it.
ROLE_WORDS: Final[Mapping[Role, tuple[str, Kind]]] = {
    "medewerker": ("Medewerker van een zorgaanbieder", "aanbieder"),
    "beheerder": ("Beheerder van een zorgaanbieder", "aanbieder"),
    "contractmanager": ("Contractmanager", "cluster"),
    "gemeenteambtenaar": ("Ambtenaar van een gemeente", "gemeente"),
    "functioneel_beheerder": ("Functioneel beheerder van de regio", "regio"),
    "operator": ("Operator", "derde"),
}
KIND_WORDS: Final[Mapping[Kind, str]] = {
    "aanbieder": "Zorgaanbieder",
    "gemeente": "Gemeente",
    "cluster": "Cluster",
    "regio": "Regio",
    "derde": "Derde partij",
}
_PROVIDER: Final = frozenset[Role]({"medewerker", "beheerder"})
_ADMIN: Final = frozenset[Role]({"beheerder"})
_MANAGER: Final = frozenset[Role]({"contractmanager"})
_TOWN: Final = frozenset[Role]({"gemeenteambtenaar"})
_REGION: Final = frozenset[Role]({"functioneel_beheerder"})
_OPERATOR: Final = frozenset[Role]({"operator"})
_ALL: Final = frozenset[Role](ROLES)
_GET: Final = frozenset({"GET"})
_POST: Final = frozenset({"POST"})
_FORM: Final = _GET | _POST


class Page(NamedTuple):
    """One URL name. ``menu``: its words there, empty = not in it. ``signed``: a provider's only with its agreement.

    ``machine``: a script asks for it, so that it is told what is wrong and not led elsewhere.
    """

    roles: frozenset[Role]
    methods: frozenset[str] = _GET
    menu: str = ""
    signed: bool = False
    machine: bool = False


#: URL name -> who may open it. In the order of the menu.
PAGES: Final[Mapping[str, Page]] = {
    "start": Page(_ALL, menu="Start"),
    "aanleveren": Page(_PROVIDER, menu="Aanleveren", signed=True),
    "aanleveren-publiek": Page(_PROVIDER, signed=True, machine=True),
    "aanleveren-certificaat": Page(_PROVIDER, _POST, signed=True, machine=True),
    "aanleveren-toegang": Page(_PROVIDER, _POST, signed=True, machine=True),
    "aanleveringen": Page(_PROVIDER, menu="Aanleveringen", signed=True),
    "resultaten": Page(_PROVIDER, menu="Resultaten", signed=True),
    "resultaten-csv": Page(_PROVIDER, signed=True),
    "cluster": Page(_MANAGER, menu="Cluster"),
    "cluster-csv": Page(_MANAGER),
    "gemeente": Page(_TOWN, menu="Gemeente"),
    "gemeente-csv": Page(_TOWN),
    "rapporten": Page(_PROVIDER | _MANAGER | _TOWN, menu="Rapporten", signed=True),
    "rapport": Page(_PROVIDER | _MANAGER | _TOWN, signed=True),
    "organisaties": Page(_REGION, _FORM, menu="Organisaties"),
    "organisatie": Page(_REGION, _FORM),
    "kalender": Page(_REGION, menu="Kalender"),
    "gebruikers": Page(_ADMIN | _REGION, menu="Gebruikers"),
    "gebruiker-uitnodigen": Page(_ADMIN | _REGION, _FORM),
    "gebruiker": Page(_ADMIN | _REGION, _FORM),
    "contactpersonen": Page(_ADMIN, _FORM, menu="Contactpersonen"),
    "contactpersoon-verwijderen": Page(_ADMIN, _POST),
    "sleutels": Page(_ADMIN, menu="Sleutels"),
    "sleutel-aanvragen": Page(_ADMIN, _FORM, signed=True),
    "sleutel-certificaat": Page(_ADMIN, signed=True),
    "sleutelaanvragen": Page(_REGION, menu="Sleutelaanvragen"),
    "sleutelaanvraag": Page(_REGION, _FORM),
    "sleutelaanvraag-sleutel": Page(_REGION),
    "definities": Page(_ALL, menu="Definities"),
    "definities-bestand": Page(_REGION),
    "definitie": Page(_REGION, _FORM),
    "herberekeningen": Page(_REGION, menu="Herberekening"),
    "herberekening-vragen": Page(_REGION, _FORM),
    "herberekening": Page(_REGION, _FORM),
    "gezondheid": Page(_OPERATOR, menu="Gezondheid"),
    "controlelog": Page(_OPERATOR, menu="Controlelog"),
    "hulp": Page(_ALL, menu="Hulp"),
}
#: What opens without logging in.
PUBLIC: Final[Mapping[str, frozenset[str]]] = {
    "account_login": _FORM,
    "account_logout": _FORM,
    "account_inactive": _GET,
    "account_reset_password": _FORM,
    "account_reset_password_done": _GET,
    "account_reset_password_from_key": _FORM,
    "account_reset_password_from_key_done": _GET,
    "mfa_authenticate": _FORM,
    "mfa_login_webauthn": _FORM,
    "uitnodiging": _FORM,
    "openid_connect_login": _FORM,
    "openid_connect_callback": _GET,
    "socialaccount_login_cancelled": _GET,
    "socialaccount_login_error": _GET,
}
#: What opens for who has logged in and has no second factor yet, for every role.
OF_ONESELF: Final[Mapping[str, frozenset[str]]] = {
    "account_reauthenticate": _FORM,
    "account_change_password": _FORM,
    "mfa_index": _GET,
    "mfa_reauthenticate": _FORM,
    "mfa_activate_totp": _FORM,
    "mfa_deactivate_totp": _FORM,
    "mfa_view_recovery_codes": _GET,
    "mfa_generate_recovery_codes": _FORM,
    "mfa_download_recovery_codes": _GET,
    "mfa_list_webauthn": _GET,
    "mfa_add_webauthn": _FORM,
    "mfa_reauthenticate_webauthn": _FORM,
    "mfa_remove_webauthn": _FORM,
    "mfa_edit_webauthn": _FORM,
    "usersessions_list": _FORM,
}


class Visitor(NamedTuple):
    """Who asks. ``role`` None: nobody has logged in. ``factor``: with a second factor. ``signed``: the organization is
    no provider, or its agreement is signed.
    """

    role: Role | None = None
    factor: bool = False
    signed: bool = False


def verdict(name: str, method: str, visitor: Visitor) -> Verdict:
    """What becomes of a request for a URL name; HEAD and OPTIONS count as GET and as nothing."""
    asked = "GET" if method == "HEAD" else method
    if name in PUBLIC:
        return "open" if asked in PUBLIC[name] else "method"
    if name not in PAGES and name not in OF_ONESELF:
        return "absent"
    if visitor.role is None:
        return "login"
    if name in OF_ONESELF:
        return "open" if asked in OF_ONESELF[name] else "method"
    return _of_page(PAGES[name], asked, visitor.role, visitor)


def _of_page(page: Page, asked: str, role: Role, visitor: Visitor) -> Verdict:
    if not visitor.factor:
        return "factor"
    if role not in page.roles:
        return "role"
    if asked not in page.methods:
        return "method"
    return "open" if visitor.signed or not page.signed else "agreement"


def menu(role: Role) -> Iterator[tuple[str, str]]:
    """URL name and words of each entry for a role."""
    return ((name, page.menu) for name, page in PAGES.items() if page.menu and role in page.roles)


def roles_of(kind: str) -> tuple[Role, ...]:
    """The roles that an organization of this kind has."""
    return tuple(role for role, (_, of) in ROLE_WORDS.items() if of == kind)
