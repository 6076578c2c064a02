"""Requests for certificates of own systems, and who confirmed which definition."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Made by Django."""

    dependencies: ClassVar = [
        ("people", "0001_initial"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Bevestiging",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("definitie", models.CharField(max_length=40, verbose_name="definitie")),
                ("waarde", models.CharField(max_length=40, verbose_name="waarde")),
                ("version", models.PositiveIntegerField(verbose_name="versie")),
                ("day", models.DateField(verbose_name="bevestigd op")),
                (
                    "agreed",
                    models.CharField(
                        choices=[("regio", "de regio"), ("gemeenten", "de gemeenten"), ("aanbieders", "de aanbieders")],
                        max_length=12,
                        verbose_name="bevestigd door",
                    ),
                ),
                ("noted", models.DateTimeField(auto_now_add=True, verbose_name="vastgelegd op")),
                (
                    "noted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bevestigingen",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="vastgelegd door",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Sleutelaanvraag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("naam", models.CharField(max_length=30, verbose_name="naam van het systeem")),
                ("public_key", models.CharField(max_length=200, verbose_name="openbare sleutel")),
                ("fingerprint", models.CharField(max_length=64, verbose_name="vingerafdruk")),
                ("kinds", models.CharField(max_length=120, verbose_name="soorten")),
                (
                    "state",
                    models.CharField(
                        choices=[("gevraagd", "gevraagd"), ("afgegeven", "afgegeven"), ("afgewezen", "afgewezen")],
                        default="gevraagd",
                        max_length=10,
                        verbose_name="stand",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("vingerafdruk", "De vingerafdruk is aan de telefoon niet bevestigd"),
                            ("soorten", "Deze soorten levert uw organisatie niet zelf aan"),
                            ("overeenkomst", "De verwerkersovereenkomst geldt niet"),
                            ("dubbel", "Dit systeem heeft al een certificaat"),
                            ("verzoek", "Uw organisatie wil het niet meer"),
                        ],
                        max_length=12,
                        verbose_name="reden",
                    ),
                ),
                ("certificate", models.TextField(blank=True, verbose_name="certificaat")),
                ("ends", models.DateTimeField(blank=True, null=True, verbose_name="geldt tot")),
                ("asked", models.DateTimeField(auto_now_add=True, verbose_name="gevraagd op")),
                ("handled", models.DateTimeField(blank=True, null=True, verbose_name="behandeld op")),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="asked_keys",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="gevraagd door",
                    ),
                ),
                (
                    "handled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="behandeld door",
                    ),
                ),
                (
                    "organisatie",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sleutelaanvragen",
                        to="people.organisatie",
                    ),
                ),
            ],
            options={
                "ordering": ["-asked", "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "gevraagd")),
                        fields=("organisatie", "naam"),
                        name="sleutelaanvraag_open_once",
                    )
                ],
            },
        ),
    ]
