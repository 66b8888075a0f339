"""Access to every URL outside the Django admin. Every URL must be in one of the tables below."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from voicehub.models import User

pytestmark = pytest.mark.one_database

ALL_ROLES = frozenset({"viewer", "engineer", "producer", "admin"})
AUDIO_ROLES = frozenset({"engineer", "producer", "admin"})
PRODUCER_ROLES = frozenset({"producer", "admin"})
ADMIN_ROLES = frozenset({"admin"})

# The only URLs that open without sign-in. Those of consents need an unguessable token.
PUBLIC_URLS = {
    "account_login",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "profile_email_confirm",
    "openid_connect_login",
    "openid_connect_callback",
    "healthz",
    "studio_logo",
    "invitation:open",
    "invitation:old_home",
    "invitation:home",
    "invitation:comparison",
    "invitation:begin",
    "invitation:record",
    "invitation:submit",
    "invitation:decline",
    "invitation:withdraw",
    "invitation:deletions",
    "invitation:contract",
    "invitation:receipt",
    "invitation:receipt_pdf",
    "invitation:recording",
    "invitation:language",
    "invitation:report",
    "invitation:ask",
    "invitation:code",
    "voices:dataset",
    "webhooks:callback",
}

# For any signed-in user, with or without a role.
SIGNED_IN_URLS = {
    "account_change_password",
    "account_logout",
    "account_reauthenticate",
    "account_set_password",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_deactivate_totp",
    "mfa_download_recovery_codes",
    "mfa_edit_webauthn",
    "mfa_generate_recovery_codes",
    "mfa_index",
    "mfa_list_webauthn",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_remove_webauthn",
    "mfa_view_recovery_codes",
    "notifications",
    "profile",
    "profile_email",
    "profile_sessions",
    "session_state",
}

# URL name: the request method and the roles that may open it.
ACCESS = {
    "today": ("get", ALL_ROLES),
    "components": ("get", ADMIN_ROLES),
    "consent:talent_list": ("get", ALL_ROLES),
    "consent:talent": ("get", ALL_ROLES),
    "consent:file_accesses": ("get", ADMIN_ROLES),
    "consent:file_accesses_export": ("get", ADMIN_ROLES),
    "consent:contract": ("get", PRODUCER_ROLES),
    "consent:contract_file": ("get", PRODUCER_ROLES),
    "consent:consent_list": ("get", ALL_ROLES),
    "consent:open_requests": ("get", ALL_ROLES),
    "consent:remind_many": ("post", PRODUCER_ROLES),
    "consent:resend_many": ("post", PRODUCER_ROLES),
    "consent:extend_many": ("post", PRODUCER_ROLES),
    "consent:void_many": ("post", PRODUCER_ROLES),
    "consent:undo_many": ("post", PRODUCER_ROLES),
    "consent:consent": ("get", ALL_ROLES),
    "consent:take_audio": ("get", PRODUCER_ROLES),
    "consent:take_original": ("get", PRODUCER_ROLES),
    "consent:take_peaks": ("get", PRODUCER_ROLES),
    "consent:take_check": ("get", PRODUCER_ROLES),
    "consent:record_in_studio": ("get", AUDIO_ROLES),
    "consent:take_upload": ("post", AUDIO_ROLES),
    "consent:talent_add": ("get", PRODUCER_ROLES),
    "consent:talent_edit": ("get", PRODUCER_ROLES),
    "consent:contract_add": ("get", PRODUCER_ROLES),
    "consent:contract_draft": ("get", PRODUCER_ROLES),
    "consent:contract_confirm": ("post", PRODUCER_ROLES),
    "consent:language_allow": ("post", PRODUCER_ROLES),
    "consent:consent_add": ("get", PRODUCER_ROLES),
    "consent:consent_ask": ("get", PRODUCER_ROLES),
    "consent:ask_talents": ("get", PRODUCER_ROLES),
    "consent:request_table": ("get", PRODUCER_ROLES),
    "consent:talent_invite": ("post", PRODUCER_ROLES),
    "consent:statement": ("get", PRODUCER_ROLES),
    "consent:contract_suspend": ("post", PRODUCER_ROLES),
    "consent:contract_resume": ("post", PRODUCER_ROLES),
    "consent:invite": ("post", PRODUCER_ROLES),
    "consent:copy_link": ("post", PRODUCER_ROLES),
    "consent:end_link": ("post", PRODUCER_ROLES),
    "consent:remind": ("post", PRODUCER_ROLES),
    "consent:approve": ("post", PRODUCER_ROLES),
    "consent:ask_again": ("post", PRODUCER_ROLES),
    "consent:suspend": ("post", PRODUCER_ROLES),
    "consent:resume": ("post", PRODUCER_ROLES),
    "consent:withdraw": ("post", PRODUCER_ROLES),
    "consent:decline": ("post", PRODUCER_ROLES),
    "consent:answer_report": ("post", PRODUCER_ROLES),
    "consent:answer_question": ("post", PRODUCER_ROLES),
    "consent:hold_set": ("post", PRODUCER_ROLES),
    "consent:hold_release": ("post", PRODUCER_ROLES),
    "consent:comparison_answer": ("post", AUDIO_ROLES),
    "consent:notice_file": ("get", PRODUCER_ROLES),
    "consent:notice_confirm": ("post", PRODUCER_ROLES),
    "consent:void": ("post", PRODUCER_ROLES),
    "consent:contract_check": ("post", PRODUCER_ROLES),
    "consent:history_check": ("post", PRODUCER_ROLES),
    "voices:search": ("get", ALL_ROLES),
    "voices:search_suggestions": ("get", ALL_ROLES),
    "voices:active_builds": ("get", ALL_ROLES),
    "voices:voice_list": ("get", ALL_ROLES),
    "voices:talent_choose": ("get", AUDIO_ROLES),
    "voices:build_list": ("get", ALL_ROLES),
    "voices:voice": ("get", ALL_ROLES),
    "voices:readiness": ("get", ALL_ROLES),
    "voices:build_options": ("get", ALL_ROLES),
    "voices:ready_count": ("get", ALL_ROLES),
    "voices:readiness_poll": ("get", ALL_ROLES),
    "voices:voice_builds": ("get", ALL_ROLES),
    "voices:finding_list": ("get", ALL_ROLES),
    "voices:improvements": ("get", ALL_ROLES),
    "voices:improvement_undo": ("post", AUDIO_ROLES),
    "voices:copy_keep": ("post", AUDIO_ROLES),
    "voices:transcripts_repair": ("post", AUDIO_ROLES),
    "voices:voice_providers": ("get", ALL_ROLES),
    "voices:recording_table": ("get", ALL_ROLES),
    "voices:recordings_poll": ("get", ALL_ROLES),
    "voices:recording_details": ("get", ALL_ROLES),
    "voices:recording_audio": ("get", ALL_ROLES),
    "voices:recording_peaks": ("get", ALL_ROLES),
    "voices:build": ("get", ALL_ROLES),
    "voices:build_details": ("get", ALL_ROLES),
    "voices:build_progress": ("get", ALL_ROLES),
    "voices:build_export": ("get", ALL_ROLES),
    "voices:build_report": ("get", ALL_ROLES),
    "voices:compare": ("get", ALL_ROLES),
    "voices:compare_previews": ("get", ALL_ROLES),
    "voices:compare_sample": ("get", ALL_ROLES),
    "voices:compare_vote": ("post", ALL_ROLES),
    "voices:voice_add": ("get", AUDIO_ROLES),
    "voices:voice_edit": ("get", AUDIO_ROLES),
    "voices:import_create": ("post", AUDIO_ROLES),
    "voices:import_detail": ("get", AUDIO_ROLES),
    "voices:import_left_out": ("get", AUDIO_ROLES),
    "voices:import_uploads": ("get", AUDIO_ROLES),
    "voices:import_upload": ("head", AUDIO_ROLES),
    "voices:import_add": ("post", AUDIO_ROLES),
    "voices:import_discard": ("post", AUDIO_ROLES),
    "voices:import_columns": ("post", AUDIO_ROLES),
    "voices:import_zeros": ("post", AUDIO_ROLES),
    "voices:import_twin": ("post", AUDIO_ROLES),
    "voices:import_code_page": ("post", AUDIO_ROLES),
    "voices:import_clip_audio": ("get", AUDIO_ROLES),
    "voices:running_deletions": ("get", ALL_ROLES),
    "voices:recording_edit": ("post", AUDIO_ROLES),
    "voices:recording_active": ("post", AUDIO_ROLES),
    "voices:recording_split": ("post", AUDIO_ROLES),
    "voices:recording_cuts": ("get", AUDIO_ROLES),
    "voices:recording_cuts_progress": ("get", AUDIO_ROLES),
    "voices:recording_cuts_sound": ("get", AUDIO_ROLES),
    "voices:recordings_export": ("get", ALL_ROLES),
    "voices:voice_dataset": ("get", PRODUCER_ROLES),
    "voices:recordings_bulk": ("post", AUDIO_ROLES),
    "voices:recordings_undo": ("post", AUDIO_ROLES),
    "voices:recordings_bulk_delete": ("post", AUDIO_ROLES),
    "voices:recordings_transcripts": ("get", AUDIO_ROLES),
    "voices:recordings_check": ("post", AUDIO_ROLES),
    "voices:recordings_switch": ("post", AUDIO_ROLES),
    "voices:recordings_leave_out": ("post", AUDIO_ROLES),
    "voices:recording_delete": ("post", AUDIO_ROLES),
    "voices:build_start": ("post", PRODUCER_ROLES),
    "voices:build_rebuild": ("post", PRODUCER_ROLES),
    "voices:build_cancel": ("post", PRODUCER_ROLES),
    "voices:build_seen": ("post", PRODUCER_ROLES),
    "voices:task_retry": ("post", ADMIN_ROLES),
    "voices:task_seen": ("post", ADMIN_ROLES),
    "voices:build_resolve_submit": ("post", PRODUCER_ROLES),
    "voices:build_resolve_training": ("post", PRODUCER_ROLES),
    "voices:compare_request_previews": ("post", PRODUCER_ROLES),
    "voices:account_list": ("get", PRODUCER_ROLES),
    "voices:provider": ("get", PRODUCER_ROLES),
    "voices:spend": ("get", PRODUCER_ROLES),
    "voices:account": ("get", PRODUCER_ROLES),
    "voices:account_add": ("get", ADMIN_ROLES),
    "voices:account_test": ("post", ADMIN_ROLES),
    "voices:account_key": ("post", ADMIN_ROLES),
    "voices:account_pause": ("post", ADMIN_ROLES),
    "voices:account_uploader": ("post", ADMIN_ROLES),
    "voices:account_resume": ("post", ADMIN_ROLES),
    "voices:unknown_voices": ("get", PRODUCER_ROLES),
    "voices:unknown_voice_adopt": ("get", PRODUCER_ROLES),
    "voices:unknown_voice_delete": ("post", PRODUCER_ROLES),
    "voices:deletion_list": ("get", ALL_ROLES),
    "voices:deletion_confirm": ("post", PRODUCER_ROLES),
    "voices:deletion_keep": ("post", PRODUCER_ROLES),
    "voices:remote_voice": ("get", ALL_ROLES),
    "voices:remote_progress": ("get", ALL_ROLES),
    "voices:remote_refresh": ("post", PRODUCER_ROLES),
    "voices:remote_rename": ("post", PRODUCER_ROLES),
    "voices:remote_visibility": ("post", PRODUCER_ROLES),
    "voices:remote_alert_seen": ("post", PRODUCER_ROLES),
    "voices:remote_delete": ("post", PRODUCER_ROLES),
    "voices:remote_confirm_deletion": ("post", PRODUCER_ROLES),
    "voices:remote_confirm_files": ("post", PRODUCER_ROLES),
    "voices:remote_assign_deletion": ("post", PRODUCER_ROLES),
    "voices:voice_proof": ("get", PRODUCER_ROLES),
    "voices:offline_proof": ("get", PRODUCER_ROLES),
    "voices:offline_proof_add": ("post", PRODUCER_ROLES),
    "voices:offline_proof_confirm": ("post", PRODUCER_ROLES),
    "voices:offline_proof_file": ("get", PRODUCER_ROLES),
    "voices:previews": ("get", ALL_ROLES),
    "voices:preview_request": ("post", PRODUCER_ROLES),
    "voices:preview_audio": ("get", ALL_ROLES),
}


def list_urls() -> Iterator[tuple[str, URLPattern]]:
    """The name and pattern of every URL except those of the Django admin, which have their own tests."""
    yield from _list_resolver_urls(get_resolver(), "")


def _list_resolver_urls(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{prefix}{entry.name}", entry
        elif entry.namespace != "admin":
            yield from _list_resolver_urls(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)


def is_public(pattern: URLPattern) -> bool:
    return not getattr(pattern.callback, "login_required", True)


def reverse_address(name: str) -> str:
    """Return the URL for an object that does not exist: views check permission before they load the object."""
    pattern = dict(list_urls())[name]
    return reverse(name, kwargs={key: uuid.uuid4() for key in pattern.pattern.converters})


def test_every_url_is_in_one_table() -> None:
    names = {name for name, _pattern in list_urls()}
    assert names == PUBLIC_URLS | SIGNED_IN_URLS | set(ACCESS), (
        "add a new URL to ACCESS (or, only for a good reason, to PUBLIC_URLS)"
    )
    assert not PUBLIC_URLS & set(ACCESS)


def test_only_urls_of_the_public_table_are_public() -> None:
    assert {name for name, pattern in list_urls() if is_public(pattern)} == PUBLIC_URLS


def test_admin_pages_require_sign_in() -> None:
    resolvers = [entry for entry in get_resolver().url_patterns if isinstance(entry, URLResolver)]
    (admin,) = [entry for entry in resolvers if entry.namespace == "admin"]
    public_patterns = [str(entry.pattern) for _name, entry in _list_resolver_urls(admin, "") if is_public(entry)]
    # The admin's sign-in view redirects to the dashboard sign-in.
    assert set(public_patterns) <= {"login/"}


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(ACCESS))
def test_anonymous_user_is_redirected_to_sign_in(name: str, client: Client) -> None:
    method, _roles = ACCESS[name]
    response = getattr(client, method)(reverse_address(name))
    assert response.status_code == 302
    assert response.headers["Location"].startswith(str(settings.LOGIN_URL))


@pytest.fixture
def make_role_user(make_person: Callable[..., User]) -> Callable[[str], User]:
    """Make a user with a role. The user is not a superuser, so only the role grants access."""
    return lambda role: make_person(f"{role}-user", "" if role == "outsider" else role)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["outsider", *sorted(ALL_ROLES)])
def test_each_role_opens_only_its_urls(role: str, client: Client, make_role_user: Callable[[str], User]) -> None:
    client.force_login(make_role_user(role))
    allowed = {name for name in ACCESS if _request_status(client, name) != 403}
    assert allowed == {name for name, (_method, roles) in ACCESS.items() if role in roles}


def _request_status(client: Client, name: str) -> int:
    method, _roles = ACCESS[name]
    status: int = getattr(client, method)(reverse_address(name)).status_code
    assert status in {200, 403, 404}, name
    return status


@pytest.mark.django_db
def test_urls_of_actions_refuse_get_requests(client: Client, admin: User) -> None:
    client.force_login(admin)
    post_urls = [name for name, (method, _roles) in ACCESS.items() if method == "post"]
    statuses = {name: client.get(reverse_address(name)).status_code for name in post_urls}
    confirmation_pages = {
        "voices:recording_edit", "voices:recording_delete", "voices:import_discard", "consent:copy_link",
        "voices:account_key",
    }  # fmt: skip
    pages_with_form_errors = {"consent:contract_confirm", "consent:take_upload"}
    assert {name for name, status in statuses.items() if status != 405} == confirmation_pages | pages_with_form_errors


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["outsider", "viewer", "engineer", "producer"])
def test_only_admins_open_the_django_admin(role: str, client: Client, make_role_user: Callable[[str], User]) -> None:
    client.force_login(make_role_user(role))
    assert client.get(reverse("admin:index")).status_code in {302, 403}


@pytest.mark.django_db
def test_roles_in_the_tables_are_the_existing_groups() -> None:
    assert set(Group.objects.values_list("name", flat=True)) == ALL_ROLES


@pytest.mark.django_db
def test_any_signed_in_user_can_sign_out(client: Client, outsider: User) -> None:
    client.force_login(outsider)
    assert client.post(reverse("account_logout")).headers["Location"] == str(settings.LOGIN_URL)
    assert "_auth_user_id" not in client.session
