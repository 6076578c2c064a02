"""Forms of requests for a certificate."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from crypto.sources import Trust
from domain.field.words import KIND_LABELS
from portal.people import certificates
from portal.people.certificates import ASKED, CERTIFICATE_LETTERS, KEY_LETTERS, Issued, PublicKey
from portal.people.models import REASONS, Sleutelaanvraag

_LINES = {"rows": 6, "spellcheck": "false", "autocomplete": "off"}


class KeyRequestForm(forms.Form):
    """What a provider asks. ``cleaned_data["public_key"]`` is a ``PublicKey``."""

    naam = forms.RegexField(
        r"^[a-z0-9][a-z0-9-]{0,29}\Z",
        label="naam van het systeem",
        help_text="Kleine letters, cijfers en streepjes, hoogstens 30. Noem geen mensen: een certificaat is openbaar.",
        error_messages={"invalid": "Neem kleine letters, cijfers en streepjes, hoogstens 30, zoals rekenserver-1."},
    )
    kinds = forms.MultipleChoiceField(
        label="wat het systeem aanlevert",
        choices=[(kind, KIND_LABELS[kind]) for kind in ASKED],
        widget=forms.CheckboxSelectMultiple,
        help_text="Kies niet meer dan nodig is.",
    )
    public_key = forms.CharField(
        label="openbare sleutel",
        max_length=KEY_LETTERS,
        widget=forms.Textarea(attrs=_LINES),
        help_text="De hele tekst van public.pem.",
    )

    def clean_public_key(self) -> PublicKey:
        """Read."""
        return certificates.public_key(self.cleaned_data["public_key"])

    def clean(self) -> dict[str, Any]:
        """A text that is no public key is not shown again: it may be a secret."""
        if "public_key" in self.errors:
            given: Any = self.data
            self.data = given.copy()
            cast(Any, self.data)["public_key"] = ""
        return self.cleaned_data


class CertificateForm(forms.Form):
    """What the authority issued. ``cleaned_data["certificate"]`` is an ``Issued``."""

    certificate = forms.CharField(
        label="certificaat",
        max_length=CERTIFICATE_LETTERS,
        widget=forms.Textarea(attrs=_LINES),
        help_text="De hele tekst van het bestand dat de opdracht maakte.",
    )

    def __init__(self, data: Any, asked: Sleutelaanvraag, trust: Trust | None, now: int) -> None:
        super().__init__(data)
        self._asked, self._trust, self._now = asked, trust, now

    def clean_certificate(self) -> Issued:
        """Checked as a stage does, and against what was asked."""
        if self._trust is None:
            raise TypeError("a certificate is judged by the authority of the region")
        return certificates.checked(self.cleaned_data["certificate"], self._asked, self._trust, self._now)


class DeclineForm(forms.Form):
    """Why it is declined."""

    reason = forms.ChoiceField(label="reden", choices=[("", "Kies een reden"), *REASONS.items()])
