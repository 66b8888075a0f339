"""What went wrong, told on the next page."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest


def say_errors(request: HttpRequest, form: forms.Form) -> None:
    messages.error(request, errors_of(form))


def errors_of(form: forms.Form) -> str:
    return " ".join(str(text) for texts in form.errors.values() for text in texts)
