"""Every view that exports or erases personal data, or changes keys or roles, asks people to confirm that it is them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from voicehub.admin_base.changes import ConfirmedMixin
from voicehub.models import User
from voices.models import Account

# Names of views that need a decision: what they do to data, keys and access.
MARKS = re.compile(
    r"export|csv|zip|pdf|dataset|evidence|receipt|_file$|delet|eras|remove|discard|withdraw|release|key|role|password|"
    r"email|factor|totp|webauthn|codes|session"
)
CONFIRMED = {
    "consent:file_accesses_export": "export of who opened what",
    "consent:withdraw": "its remote voices are deleted",
    "consent:hold_release": "deletions that waited go on",
    "profile_email": "own access",
    "voices:account_add": "key",
    "voices:account_key": "key",
    "voices:build_export": "export of transcripts and results",
    "voices:recordings_export": "export of transcripts",
    "voices:voice_dataset": "export of recordings",
    "voices:recording_delete": "erasure",
    "voices:recordings_bulk_delete": "erasure",
    "voices:remote_delete": "deletion of a remote voice",
    "voices:unknown_voice_delete": "deletion of a remote voice",
    "voices:deletion_confirm": "deletion of a remote voice",
    "voices:remote_confirm_deletion": "ends the deletion of a remote voice",
    "voices:remote_confirm_files": "ends the deletion of uploaded files",
}
# django-allauth asks by the rule of `voicehub.confirmation` (tests/voicehub/sign_in).
CONFIRMED_BY_ALLAUTH = {
    "mfa_activate_totp", "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn",
    "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes",
}  # fmt: skip
FREE = {
    # The talent's own, behind the private link and a code.
    "invitation:withdraw", "invitation:deletions", "invitation:receipt", "invitation:receipt_pdf", "voices:dataset",
    # The way in.
    "account_reset_password", "account_reset_password_done", "account_reset_password_from_key",
    "account_reset_password_from_key_done", "mfa_login_webauthn", "mfa_reauthenticate_webauthn", "session_state",
    # A change of the password asks for the present one. A link in a mail proves the address.
    "account_change_password", "account_set_password", "profile_email_confirm",
    # Ends sessions of one's own; only redirects.
    "profile_sessions", "mfa_list_webauthn",
    # One document, which staff read in their work: what is opened is recorded for each file.
    "consent:contract_file", "consent:notice_file", "voices:offline_proof_file", "voices:build_report",
    # Files that were not taken, with the reason; an upload that is not a recording yet.
    "voices:import_left_out", "voices:import_discard",
    # Lists and progress; keeps a voice; hands over the task; the copy of a recording that is kept.
    "voices:deletion_list", "voices:running_deletions", "voices:deletion_keep", "voices:remote_assign_deletion",
    "voices:copy_keep",
}  # fmt: skip


def walk(resolver: URLResolver, namespaces: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = (*namespaces, str(entry.namespace)) if entry.namespace else namespaces
            yield from walk(entry, inner)
        elif isinstance(entry, URLPattern) and entry.name and "admin" not in namespaces:
            yield ":".join((*namespaces, entry.name)), entry.callback


def test_each_view_of_an_export_erasure_key_or_role_asks_for_the_confirmation() -> None:
    views = dict(walk(get_resolver()))
    marked = {name for name in views if MARKS.search(name.rpartition(":")[2])}
    assert marked - CONFIRMED.keys() - CONFIRMED_BY_ALLAUTH - FREE == set(), "Decide for each, and list it."
    assert {name for name, view in views.items() if getattr(view, "asks_confirmation", False)} == CONFIRMED.keys()


def test_lists_name_only_views_that_exist() -> None:
    assert (CONFIRMED.keys() | CONFIRMED_BY_ALLAUTH | FREE) - dict(walk(get_resolver())).keys() == set()


@pytest.mark.parametrize("model", [User, Account, Authenticator])
def test_pages_of_users_keys_and_factors_in_the_administration_ask(model: Any) -> None:
    assert isinstance(admin.site.get_model_admin(model), ConfirmedMixin)


def test_no_other_page_of_the_administration_erases_people_or_their_data() -> None:
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    deletable = {model.__name__ for model, one in admin.site._registry.items() if one.has_delete_permission(request)}
    assert deletable == {"User", "ThresholdOverride", "Pronunciation", "LimitOverride"}
