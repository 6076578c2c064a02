"""The tables of people as the first release has them."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Made by Django."""

    initial = True

    dependencies: ClassVar = []

    operations: ClassVar = [
        migrations.CreateModel(
            name="Gebruiker",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "email",
                    models.EmailField(
                        error_messages={"unique": "Dit adres heeft al een gebruiker."},
                        max_length=254,
                        unique=True,
                        verbose_name="e-mailadres",
                    ),
                ),
                ("naam", models.CharField(max_length=80, verbose_name="naam")),
                (
                    "rol",
                    models.CharField(
                        choices=[
                            ("medewerker", "Medewerker van een zorgaanbieder"),
                            ("beheerder", "Beheerder van een zorgaanbieder"),
                            ("contractmanager", "Contractmanager"),
                            ("gemeenteambtenaar", "Ambtenaar van een gemeente"),
                            ("functioneel_beheerder", "Functioneel beheerder van de regio"),
                            ("operator", "Operator"),
                        ],
                        max_length=24,
                        verbose_name="rol",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="actief")),
                ("invited", models.DateTimeField(auto_now_add=True, verbose_name="uitgenodigd op")),
            ],
            options={
                "ordering": ["naam"],
            },
        ),
        migrations.CreateModel(
            name="Browser",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=16, unique=True, verbose_name="naam")),
                ("begun", models.DateTimeField(auto_now_add=True, verbose_name="begonnen op")),
                (
                    "gebruiker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="browsers",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-begun"],
            },
        ),
        migrations.CreateModel(
            name="Organisatie",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "soort",
                    models.CharField(
                        choices=[
                            ("aanbieder", "Zorgaanbieder"),
                            ("gemeente", "Gemeente"),
                            ("cluster", "Cluster"),
                            ("regio", "Regio"),
                            ("derde", "Derde partij"),
                        ],
                        max_length=12,
                        verbose_name="soort",
                    ),
                ),
                ("code", models.CharField(max_length=40, verbose_name="code")),
                ("naam", models.CharField(max_length=120, verbose_name="naam")),
                (
                    "verwerkersovereenkomst",
                    models.DateField(blank=True, null=True, verbose_name="verwerkersovereenkomst getekend op"),
                ),
                ("active", models.BooleanField(default=True, verbose_name="actief")),
            ],
            options={
                "ordering": ["soort", "naam"],
                "constraints": [models.UniqueConstraint(fields=("soort", "code"), name="organisatie_once")],
            },
        ),
        migrations.AddField(
            model_name="gebruiker",
            name="organisatie",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="gebruikers", to="people.organisatie"
            ),
        ),
        migrations.CreateModel(
            name="Contactpersoon",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("naam", models.CharField(max_length=80, verbose_name="naam")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mailadres")),
                ("phone", models.CharField(blank=True, max_length=20, verbose_name="telefoon")),
                (
                    "organisatie",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contactpersonen",
                        to="people.organisatie",
                    ),
                ),
            ],
            options={
                "ordering": ["naam"],
                "constraints": [models.UniqueConstraint(fields=("organisatie", "email"), name="contactpersoon_once")],
            },
        ),
    ]
