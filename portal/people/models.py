"""Who may log in and for whom. Nothing here is of a child: a test holds every column of the database to it."""

from __future__ import annotations

from typing import ClassVar, Final

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from domain.field.geography import CLUSTERS, GEMEENTEN
from portal.people.access import KIND_WORDS, ROLE_WORDS, Role, Visitor, roles_of
from portal.people.replay_words import REPLAY_KINDS, REPLAY_PROBLEMS, REPLAY_STATES, REPLAY_STEPS

#: What becomes of a request for a certificate, and why it is declined.
STATES: Final = {"gevraagd": "gevraagd", "afgegeven": "afgegeven", "afgewezen": "afgewezen"}
REASONS: Final = {
    "vingerafdruk": "De vingerafdruk is aan de telefoon niet bevestigd",
    "soorten": "Deze soorten levert uw organisatie niet zelf aan",
    "overeenkomst": "De verwerkersovereenkomst geldt niet",
    "dubbel": "Dit systeem heeft al een certificaat",
    "verzoek": "Uw organisatie wil het niet meer",
}
#: Who confirmed a definition, with the region that notes it.
AGREED: Final = {"regio": "de regio", "gemeenten": "de gemeenten", "aanbieders": "de aanbieders"}

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


class Sleutelaanvraag(models.Model):
    """A provider asks a certificate for a system of its own. The authority, elsewhere and offline, issues it.

    ``public_key``: PEM; ``fingerprint``: SHA-256 of it, in hexadecimal; ``kinds``: sorted, a space between;
    ``certificate``: PEM, which was checked, and ``ends`` its end; both only when it was issued.
    """

    organisatie = models.ForeignKey(Organisatie, on_delete=models.CASCADE, related_name="sleutelaanvragen")
    naam = models.CharField("naam van het systeem", max_length=30)
    public_key = models.CharField("openbare sleutel", max_length=200)
    fingerprint = models.CharField("vingerafdruk", max_length=64)
    kinds = models.CharField("soorten", max_length=120)
    state = models.CharField("stand", max_length=10, choices=list(STATES.items()), default="gevraagd")
    reason = models.CharField("reden", max_length=12, choices=list(REASONS.items()), blank=True)
    certificate = models.TextField("certificaat", blank=True)
    ends = models.DateTimeField("geldt tot", null=True, blank=True)
    asked = models.DateTimeField("gevraagd op", auto_now_add=True)
    asked_by = models.ForeignKey(
        Gebruiker, on_delete=models.PROTECT, related_name="asked_keys", verbose_name="gevraagd door"
    )
    handled = models.DateTimeField("behandeld op", null=True, blank=True)
    handled_by = models.ForeignKey(
        Gebruiker, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="behandeld door"
    )

    class Meta:
        """The newest first; of one name one is open."""

        ordering: ClassVar = ["-asked", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisatie", "naam"], condition=models.Q(state="gevraagd"), name="sleutelaanvraag_open_once"
            )
        ]

    def __str__(self) -> str:
        """The name that stands in the certificate: of this organization alone, as the AGB code is in it."""
        return f"{self.organisatie.code}-{self.naam}"


class Bevestiging(models.Model):
    """The region notes which value of a definition was confirmed, when and by whom. It changes no figure.

    ``definitie``: a key of ``portal.pages.confirmable``; ``version``: of the definitions that were shown then.
    """

    definitie = models.CharField("definitie", max_length=40)
    waarde = models.CharField("waarde", max_length=40)
    version = models.PositiveIntegerField("versie")
    day = models.DateField("bevestigd op")
    agreed = models.CharField("bevestigd door", max_length=12, choices=list(AGREED.items()))
    noted = models.DateTimeField("vastgelegd op", auto_now_add=True)
    noted_by = models.ForeignKey(
        Gebruiker, on_delete=models.PROTECT, related_name="bevestigingen", verbose_name="vastgelegd door"
    )

    class Meta:
        """The one that was noted last first: it counts."""

        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        """What was confirmed."""
        return f"{self.definitie}: {self.waarde}"


class Herberekening(models.Model):
    """The region asks what the confirmed definitions would change, or to put them in use.

    The portal has no right to rows: a process of the operator takes it up and writes what became of it
    (``sor portal recalculate``). ``document``: what was confirmed when it was asked; ``outcome``: numbers, of which
    small ones are hidden; ``share``: percents done of a step; ``tries``: how often it was begun.
    """

    soort = models.CharField("soort", max_length=12, choices=list(REPLAY_KINDS.items()))
    document = models.TextField("bevestigde definities")
    state = models.CharField("stand", max_length=12, choices=list(REPLAY_STATES.items()), default="gevraagd")
    step = models.CharField("stap", max_length=12, blank=True)
    share = models.PositiveSmallIntegerField("deel", default=0)
    tries = models.PositiveSmallIntegerField("keren begonnen", default=0)
    outcome = models.JSONField("uitkomst", default=dict, blank=True)
    problem = models.CharField("reden", max_length=12, blank=True)
    asked = models.DateTimeField("gevraagd op", auto_now_add=True)
    asked_by = models.ForeignKey(
        Gebruiker, on_delete=models.PROTECT, related_name="herberekeningen", verbose_name="gevraagd door"
    )
    begun = models.DateTimeField("begonnen op", null=True, blank=True)
    ended = models.DateTimeField("klaar op", null=True, blank=True)

    class Meta:
        """The newest first; of all of them one waits, and one runs."""

        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state__in=("gevraagd", "bezig")),
                name="herberekening_open_once",
            )
        ]

    def __str__(self) -> str:
        """What was asked."""
        return f"{self.soort} {self.pk}"

    @property
    def step_words(self) -> str:
        """What it is busy with; empty when it is not."""
        return REPLAY_STEPS.get(self.step, "")

    @property
    def problem_words(self) -> str:
        """Why it failed and what to do; empty when it did not."""
        return REPLAY_PROBLEMS.get(self.problem, "")
