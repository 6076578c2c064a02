"""What Django knows of the people of the portal."""

from __future__ import annotations

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Organizations, users, contacts, what they asked and confirmed; each change of them goes into the audit log."""

    name = "portal.people"
    label = "people"
    verbose_name = "Gebruikers en organisaties"

    def ready(self) -> None:
        """Models can be named only now."""
        from auditlog.registry import auditlog
        from django.contrib.auth.signals import user_logged_in

        from portal.people import counting
        from portal.people.models import (
            Bevestiging,
            Contactpersoon,
            Gebruiker,
            Herberekening,
            Organisatie,
            Sleutelaanvraag,
        )

        counting.prepare()
        user_logged_in.connect(counting.logged_in)
        auditlog.register(Organisatie)
        auditlog.register(Gebruiker, exclude_fields=["password", "last_login"])
        auditlog.register(Contactpersoon)
        auditlog.register(Sleutelaanvraag)
        auditlog.register(Bevestiging)
        auditlog.register(Herberekening, exclude_fields=["step", "share", "document", "outcome"])
