"""Who may open what: the list itself, and every address of the portal for every role and for other organizations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from portal.people.access import OF_ONESELF, PAGES, PUBLIC, ROLES, Visitor, menu, roles_of, verdict
from settings.settings import Settings

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


@cache
def addresses() -> tuple[tuple[str, str], ...]:
    """Name and address of every view below the resolver of Django, with made-up arguments."""
    return tuple(_addresses())


def _addresses() -> Iterator[tuple[str, str]]:
    from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse

    made = {"number": 1, "month": "2026-10", "name": "x.pdf", "token": "a-b", "pk": 1, "uidb36": "1", "key": "x-set"}
    made |= {"provider_id": "organisatie"}

    def below(found: Any, prefix: str) -> Iterator[tuple[str, str]]:
        for one in found.url_patterns:
            route = prefix + str(one.pattern)
            if isinstance(one, URLPattern):
                yield one.name or "", route
            else:
                yield from below(one, route)

    for name, _ in below(get_resolver(), ""):
        if not name:
            yield "", ""
            continue
        for chosen in ({}, *({key: value} for key, value in made.items()), {"month": "2026-10", "name": "x.pdf"},
                       {"number": 1, "token": "a-b"}, {"uidb36": "1", "key": "x-set"}):  # fmt: skip
            try:
                yield name, reverse(name, kwargs=chosen)
                break
            except NoReverseMatch:
                continue
        else:
            raise AssertionError(f"no address of {name} could be made")


def test_every_name_of_the_list_is_an_address_and_no_other_opens(portal: Settings) -> None:
    named = {name for name, _ in addresses() if name}
    assert set(PAGES) <= named
    assert set(PUBLIC) | set(OF_ONESELF) <= named
    closed = named - set(PAGES) - set(PUBLIC) - set(OF_ONESELF)
    assert {"account_signup", "account_email", "socialaccount_connections", "socialaccount_signup"} <= closed


def test_a_verdict_is_given_for_every_name_role_and_method() -> None:
    assert verdict("start", "GET", Visitor()) == "login"
    assert verdict("start", "GET", Visitor("operator")) == "factor"
    assert verdict("start", "GET", Visitor("operator", factor=True)) == "open"
    assert verdict("start", "POST", Visitor("operator", factor=True)) == "method"
    assert verdict("account_signup", "GET", Visitor("operator", factor=True, signed=True)) == "absent"
    assert verdict("resultaten", "GET", Visitor("beheerder", factor=True)) == "agreement"
    assert verdict("resultaten", "GET", Visitor("beheerder", factor=True, signed=True)) == "open"
    assert verdict("resultaten", "GET", Visitor("contractmanager", factor=True, signed=True)) == "role"
    assert verdict("mfa_index", "GET", Visitor("medewerker")) == "open"


def test_a_menu_holds_only_what_its_role_may_open() -> None:
    for role in ROLES:
        names = [name for name, _ in menu(role)]
        assert names
        assert all(verdict(name, "GET", Visitor(role, factor=True, signed=True)) == "open" for name in names)
    assert roles_of("aanbieder") == ("medewerker", "beheerder")


@pytest.mark.parametrize("role", [*ROLES, ""])
def test_every_address_opens_for_its_roles_alone(
    role: str, logged_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.test import Client

    from portal.people import doorman

    opened: list[tuple[str, str]] = []

    def process_view(self: Any, request: Any, view: Any, args: Any, named: Any) -> Any:
        answer = real(self, request, view, args, named)
        if answer is None:
            opened.append((request.resolver_match.view_name, request.method))
            from django.http import HttpResponse

            return HttpResponse("opened")
        return answer

    real = doorman.Doorman.process_view
    monkeypatch.setattr(doorman.Doorman, "process_view", process_view)
    client = logged_in(role) if role else Client()
    for name, address in addresses():
        if address:
            opened.clear()
            response = client.get(address)
            assert bool(opened) == may(name, role, "GET"), (name, role, response.status_code)
            assert opened or response.status_code in {302, 401, 403, 404, 405}, (name, role)


@pytest.mark.parametrize("role", [*ROLES, ""])
def test_no_address_opens_in_another_way(role: str, people: dict[str, Any], portal: Settings) -> None:
    from django.contrib.auth.models import AnonymousUser
    from django.contrib.messages.storage.fallback import FallbackStorage
    from django.core.exceptions import PermissionDenied
    from django.http import Http404, HttpResponse
    from django.test import RequestFactory
    from django.urls import resolve

    from portal.people.doorman import Doorman

    doorman = Doorman(lambda _request: HttpResponse())
    for name, address in addresses():
        for method in METHODS if address else ():
            request: Any = RequestFactory().generic(method, address)
            request.user, request.session = people[role] if role else AnonymousUser(), {}
            request._messages = FallbackStorage(request)
            request.resolver_match = resolve(address)
            try:
                opened = doorman.process_view(request, None, (), {}) is None
            except (Http404, PermissionDenied):
                opened = False
            assert opened == may(name, role, method), (name, method, role)


def may(name: str, role: str, method: str) -> bool:
    """By the list, said once more."""
    asked = "GET" if method == "HEAD" else method
    if name in PUBLIC or (role and name in OF_ONESELF):
        return asked in (PUBLIC.get(name) or OF_ONESELF[name])
    return name in PAGES and role in PAGES[name].roles and asked in PAGES[name].methods


def test_of_an_organization_that_is_not_active_nobody_opens_anything(
    logged_in: Callable[..., Any], people: dict[str, Any]
) -> None:
    client = logged_in("beheerder")
    people["beheerder"].organisatie.active = False
    people["beheerder"].organisatie.save()
    assert client.get("/").status_code == 403
    people["beheerder"].organisatie.active = True


def test_without_a_second_factor_only_its_own_pages_open(logged_in: Callable[..., Any], people: dict[str, Any]) -> None:
    people["medewerker"].authenticator_set.all().delete()
    client = logged_in("medewerker")
    assert client.get("/")["Location"] == "/account/2fa/"
    assert client.get("/aanleveren/publiek.json").status_code == 401
    assert client.get("/account/2fa/").status_code == 200


def test_without_an_agreement_a_provider_sees_no_figures(logged_in: Callable[..., Any], people: dict[str, Any]) -> None:
    organisatie = people["beheerder"].organisatie
    organisatie.verwerkersovereenkomst = None
    organisatie.save()
    client = logged_in("beheerder")
    assert client.get("/resultaten/")["Location"] == "/"
    assert "verwerkersovereenkomst" in client.get("/").content.decode()
    assert client.post("/aanleveren/toegang").status_code == 403
    people["beheerder"].organisatie.refresh_from_db()
