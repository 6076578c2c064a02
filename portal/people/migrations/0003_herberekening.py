"""Recalculations that the region asks for."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Made by Django."""

    dependencies: ClassVar = [
        ("people", "0002_sleutelaanvraag_bevestiging"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Herberekening",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "soort",
                    models.CharField(
                        choices=[
                            ("vergelijken", "berekenen wat er verandert"),
                            ("invoeren", "de definities in gebruik nemen"),
                        ],
                        max_length=12,
                        verbose_name="soort",
                    ),
                ),
                ("document", models.TextField(verbose_name="bevestigde definities")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("gevraagd", "gevraagd"),
                            ("bezig", "bezig"),
                            ("klaar", "klaar"),
                            ("mislukt", "mislukt"),
                            ("ingetrokken", "ingetrokken"),
                        ],
                        default="gevraagd",
                        max_length=12,
                        verbose_name="stand",
                    ),
                ),
                ("step", models.CharField(blank=True, max_length=12, verbose_name="stap")),
                ("share", models.PositiveSmallIntegerField(default=0, verbose_name="deel")),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="keren begonnen")),
                ("outcome", models.JSONField(blank=True, default=dict, verbose_name="uitkomst")),
                ("problem", models.CharField(blank=True, max_length=12, verbose_name="reden")),
                ("asked", models.DateTimeField(auto_now_add=True, verbose_name="gevraagd op")),
                ("begun", models.DateTimeField(blank=True, null=True, verbose_name="begonnen op")),
                ("ended", models.DateTimeField(blank=True, null=True, verbose_name="klaar op")),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="herberekeningen",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="gevraagd door",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("gevraagd", "bezig"))),
                        fields=("state",),
                        name="herberekening_open_once",
                    )
                ],
            },
        ),
    ]
