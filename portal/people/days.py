"""A day that people type as dd-mm-jjjj: a browser's own field has the language of the browser, not of the page."""

from __future__ import annotations

from typing import Any, Final

from django import forms

_SHAPES: Final = ("%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y-%m-%d")
_SHOWN: Final = "%d-%m-%Y"


class DayField(forms.DateField):
    """A day in a field of text: 3-11-2026, with points or slashes too, and as machines write it."""

    def __init__(self, **named: Any) -> None:
        super().__init__(
            input_formats=_SHAPES,
            widget=forms.DateInput(attrs={"autocomplete": "off", "maxlength": "10"}, format=_SHOWN),
            help_text="Als dd-mm-jjjj, zoals 03-11-2026.",
            error_messages={"invalid": "Typ de dag als dd-mm-jjjj, zoals 03-11-2026."},
            **named,
        )
