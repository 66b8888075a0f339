"""A form field for the countries of a contract or a voice."""

from typing import Any

from django import forms
from django.utils.functional import lazy

from consent.models import WORLDWIDE
from consent.services.countries import list_countries

CHOOSE_ONE_KIND = "Choose “Worldwide” or single countries, not both."


def list_choices() -> list[tuple[str, str]]:
    return [(WORLDWIDE, "Worldwide"), *list_countries()]


class CountriesField(forms.MultipleChoiceField):
    """“Worldwide”, or a list of countries. The value is a sorted list of codes."""

    def __init__(self, **kwargs: Any) -> None:
        choices = lazy(list_choices, list)()
        messages = {"required": "Choose “Worldwide” or at least one country."}
        super().__init__(choices=choices, widget=forms.CheckboxSelectMultiple, error_messages=messages, **kwargs)

    def clean(self, value: Any) -> list[str]:
        # The radio button of single countries is sent as an empty value.
        codes: list[str] = sorted(set(super().clean([code for code in value or () if code])))
        if WORLDWIDE in codes and len(codes) > 1:
            raise forms.ValidationError(CHOOSE_ONE_KIND)
        return codes
