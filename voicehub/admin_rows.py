"""Bases for the admin's pages: what is evidence, or has a life of its own, is looked at and never edited."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest


class LookOnly(admin.ModelAdmin[Any]):
    """Every field can be read and searched, none changed; rows are neither added nor deleted here."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False


class KeptForever(admin.ModelAdmin[Any]):
    """Rows that other rows stand on: edited, but never deleted."""

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False
