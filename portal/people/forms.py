"""Forms about people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.auth.forms import SetPasswordForm

from portal.people.access import ROLE_WORDS, roles_of
from portal.people.days import DayField
from portal.people.models import Contactpersoon, Gebruiker, Organisatie

if TYPE_CHECKING:  # forms know of no type arguments when they run
    OfUser = forms.ModelForm[Gebruiker]
    OfContact = forms.ModelForm[Contactpersoon]
    OfOrganization = forms.ModelForm[Organisatie]
    OfPassword = SetPasswordForm[Gebruiker]
else:
    OfUser = OfContact = OfOrganization = forms.ModelForm
    OfPassword = SetPasswordForm


class InviteForm(OfUser):
    """Somebody new. ``organisatie``: of whom, None lets choose; the roles are those of that organization."""

    class Meta:
        """What is asked."""

        model = Gebruiker
        fields: ClassVar = ["naam", "email", "organisatie", "rol"]

    def __init__(self, *given: Any, organisatie: Organisatie | None = None, **named: Any) -> None:
        super().__init__(*given, **named)
        if organisatie is not None:
            self.instance.organisatie = organisatie
            del self.fields["organisatie"]
            own = roles_of(organisatie.soort)
            self.fields["rol"] = forms.ChoiceField(label="rol", choices=[(role, ROLE_WORDS[role][0]) for role in own])

    def clean_email(self) -> str:
        """Addresses are kept in small letters."""
        return str(self.cleaned_data["email"]).lower()


class UserForm(OfUser):
    """Somebody who is there: another role, or no access any more."""

    class Meta:
        """What can change."""

        model = Gebruiker
        fields: ClassVar = ["naam", "rol", "is_active"]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        own = roles_of(self.instance.organisatie.soort)
        self.fields["rol"] = forms.ChoiceField(label="rol", choices=[(role, ROLE_WORDS[role][0]) for role in own])


class ContactForm(OfContact):
    """A contact of the own organization."""

    class Meta:
        """What is asked."""

        model = Contactpersoon
        fields: ClassVar = ["naam", "email", "phone"]


class OrganizationForm(OfOrganization):
    """An organization."""

    verwerkersovereenkomst = DayField(label="verwerkersovereenkomst getekend op", required=False)

    class Meta:
        """What is asked."""

        model = Organisatie
        fields: ClassVar = ["soort", "code", "naam", "verwerkersovereenkomst", "active"]


class PasswordForm(OfPassword):
    """The first password of who was invited."""
