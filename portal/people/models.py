"""Who may log in and for whom. Nothing here is of a child: a test holds every column of the database to it."""

from __future__ import annotations

from typing import ClassVar, Final

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from domain.field.geography import CLUSTERS, GEMEENTEN
from portal.people.access import KIND_WORDS, ROLE_WORDS, Role, Visitor, roles_of

_TAKEN: Final = "Dit adres heeft al een gebruiker."
_AGB: Final = RegexValidator(r"^\d{8}$", "Een AGB-code heeft acht cijfers.")


class Organisatie(models.Model):
    """An organization. ``code``: AGB code of a provider, CBS code of a municipality, name of a cluster.

    ``verwerkersovereenkomst``: the day on which it was signed; a provider delivers and sees nothing before.
    """

    soort = models.CharField("soort", max_length=12, choices=list(KIND_WORDS.items()))
    code = models.CharField("code", max_length=40)
    naam = models.CharField("naam", max_length=120)
    verwerkersovereenkomst = models.DateField("verwerkersovereenkomst getekend op", null=True, blank=True)
    active = models.BooleanField("actief", default=True)

    class Meta:
        """One organization of a kind for each code."""

        ordering: ClassVar = ["soort", "naam"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["soort", "code"], name="organisatie_once")]

    def __str__(self) -> str:
        """As people call it."""
        return self.naam

    def clean(self) -> None:
        """The code belongs to the kind."""
        if self.soort == "aanbieder":
            _AGB(self.code)
        if self.soort == "gemeente" and self.code not in GEMEENTEN:
            raise ValidationError({"code": "Geef de CBS-code van een gemeente uit de regio, zoals 0363."})
        if self.soort == "cluster" and self.code not in CLUSTERS:
            raise ValidationError({"code": f"Geef een van: {', '.join(CLUSTERS)}."})

    @property
    def signed(self) -> bool:
        """Whether pages with figures are open for it."""
        return self.soort != "aanbieder" or self.verwerkersovereenkomst is not None


class People(BaseUserManager["Gebruiker"]):
    """Makes users; there is no superuser."""

    def invite(self, *, email: str, naam: str, rol: Role, organisatie: Organisatie) -> Gebruiker:
        """A user without a password, who cannot log in before the invitation is used.

        Raises:
            ValidationError: the address is taken, or the role is none of this organization.
        """
        made = self.model(email=self.normalize_email(email).lower(), naam=naam, rol=rol, organisatie=organisatie)
        made.set_unusable_password()
        made.full_clean(exclude=["password"])
        made.save(using=self._db)
        return made


class Gebruiker(AbstractBaseUser):
    """Somebody who logs in by address, for one organization and in one role."""

    email = models.EmailField("e-mailadres", unique=True, error_messages={"unique": _TAKEN})
    naam = models.CharField("naam", max_length=80)
    rol = models.CharField("rol", max_length=24, choices=[(role, said) for role, (said, _) in ROLE_WORDS.items()])
    organisatie = models.ForeignKey(Organisatie, on_delete=models.PROTECT, related_name="gebruikers")
    is_active = models.BooleanField("actief", default=True)
    invited = models.DateTimeField("uitgenodigd op", auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["naam", "rol", "organisatie"]
    objects: ClassVar[People] = People()

    class Meta:
        """By name."""

        ordering: ClassVar = ["naam"]

    def __str__(self) -> str:
        """The audit log and the menu show it so."""
        return self.naam

    def clean(self) -> None:
        """The role belongs to the organization."""
        if self.organisatie_id and self.rol not in roles_of(self.organisatie.soort):
            raise ValidationError({"rol": "Deze rol hoort niet bij deze organisatie."})

    def visitor(self, *, factor: bool) -> Visitor:
        """As the list of pages knows who asks; of an organization that is not active nobody has a role."""
        role: Role | None = next((one for one in ROLE_WORDS if one == self.rol), None)
        return Visitor(role if self.is_active and self.organisatie.active else None, factor, self.organisatie.signed)


class Contactpersoon(models.Model):
    """The contact of type *Sturen op Resultaat* of an organization (S0): who gets its reports."""

    organisatie = models.ForeignKey(Organisatie, on_delete=models.CASCADE, related_name="contactpersonen")
    naam = models.CharField("naam", max_length=80)
    email = models.EmailField("e-mailadres")
    phone = models.CharField("telefoon", max_length=20, blank=True)

    class Meta:
        """By name, each address once."""

        ordering: ClassVar = ["naam"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["organisatie", "email"], name="contactpersoon_once")]

    def __str__(self) -> str:
        """As people call it."""
        return self.naam


class Browser(models.Model):
    """The random name under which somebody's browser signs, so that a certificate leads to a person here alone."""

    gebruiker = models.ForeignKey(Gebruiker, on_delete=models.CASCADE, related_name="browsers")
    name = models.CharField("naam", max_length=16, unique=True)
    begun = models.DateTimeField("begonnen op", auto_now_add=True)

    class Meta:
        """The newest first."""

        ordering: ClassVar = ["-begun"]

    def __str__(self) -> str:
        """Its name."""
        return self.name
