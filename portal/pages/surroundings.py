"""What every page shows around its own content: who is logged in, and the menu of the role."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from portal.people.access import ROLE_WORDS, menu
from portal.people.doorman import visitor_of
from portal.people.models import Gebruiker


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Variables of ``basis.html``; a menu only for who may open what is in it."""
    user = getattr(request, "user", None)
    if not isinstance(user, Gebruiker):
        return {"menu": [], "signed_in": False}
    visitor = visitor_of(request)
    match = request.resolver_match
    here = match.view_name if match else ""
    entries = menu(visitor.role) if visitor.role and visitor.factor else iter(())
    return {
        "menu": [{"address": reverse(name), "words": words, "here": name == here} for name, words in entries],
        "signed_in": True,
        "role_words": next((said for role, (said, _) in ROLE_WORDS.items() if role == user.rol), ""),
    }
