"""What each identity may do at each URL, and the requests that try it.

`tests.test_urls.ACCESS` says which roles may open a URL of the studio. The tables here say which methods it takes, and
what there is beside it: pages of sign-in, pages behind a talent's link, and the administration.
"""

import logging
from collections.abc import Callable, Iterable
from http.cookies import SimpleCookie
from typing import Any

from django.db import models, transaction
from django.template.backends.django import Template
from django.test import Client
from django.urls import URLPattern, reverse

from consent.models import Consent, ConsentStatus, Contract, ContractDraft, Invitation, Question, Take, Talent
from consent.services.invitations import create_private_link
from tests.damaged_studio import make_damageable_studio
from tests.test_urls import ACCESS, list_urls
from tests.voices.rows import Studio, make_main_account
from voicehub.models import Task, TaskStatus, User
from voices.models import (
    Account,
    Build,
    Import,
    ImportClip,
    ImportFile,
    ImportText,
    OfflineProof,
    Preview,
    Recording,
    RemoteVoice,
    Voice,
)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# What the tests of every change try. `tests/long` tries the others.
USUAL_METHODS = ("GET", "POST")
ROLES = ("", "viewer", "engineer", "producer", "admin")
Answers = dict[str, dict[str, int]]
READ = {"GET", "HEAD"}
BOTH = READ | {"POST"}
# The methods of URLs that take others than GET and HEAD, or than POST: see `list_methods`.
FORM_URLS = {
    "consent:talent_add", "consent:talent_edit", "consent:contract_add", "consent:contract_confirm",
    "consent:consent_ask", "consent:ask_talents", "consent:request_table", "consent:copy_link", "consent:take_upload",
    "voices:voice_add", "voices:voice_edit", "voices:voice_dataset", "voices:account_add", "voices:unknown_voice_adopt",
    "voices:account_key", "voices:import_discard", "voices:recording_edit", "voices:recording_delete",
    "voices:recordings_transcripts", "voices:recordings_export", "voices:recording_cuts",
}  # fmt: skip
OTHER_METHODS = {
    "voices:import_uploads": {"GET", "POST", "OPTIONS"},
    "voices:import_upload": {"HEAD", "POST", "PATCH", "DELETE", "OPTIONS"},
}
# What a role that may use a URL gets if it is no page, file or redirect, because the request has no form, or because
# the row is not for every person with the role.
OTHER_ANSWERS = {
    "consent:contract_draft": 404,  # for the person who uploaded it
    "voices:import_uploads": 404,  # for the person who began the import
    "voices:import_upload": 404,
    "consent:approve": 404,  # names no take
    "consent:answer_question": 302,
    "voices:compare_sample": 404,  # names no question
    "voices:compare_vote": 302,
    "voices:recordings_switch": 404,  # names no recording
    "voices:recording_cuts POST": 400,  # names no cuts
    "voices:build_resolve_submit": 400,  # names no answer
    "voices:build_resolve_training": 400,
    "voices:unknown_voice_adopt GET": 404,  # names no voice that the account has
    "voices:unknown_voice_adopt HEAD": 404,
}
# Pages behind a private link. Only the browser that opened the link gets them.
LINK_URLS = {
    f"invitation:{name}"
    for name in (
        "home", "code", "ask", "begin", "comparison", "language", "record", "submit", "decline", "withdraw",
        "deletions", "contract", "receipt", "receipt_pdf", "recording",
    )
}  # fmt: skip
# Only with a token that cannot be guessed.
TOKEN_URLS = {"invitation:open", "invitation:report", "voices:dataset", "webhooks:callback"}
OPEN_URLS = {"healthz", "studio_logo", "invitation:old_home"}
# For visitors without an account, or with the address in a mail.
SIGN_IN_URLS = {
    "account_login", "account_logout", "mfa_authenticate", "mfa_login_webauthn", "account_inactive",
    "openid_connect_login", "openid_connect_callback", "profile_email_confirm", "account_reset_password",
    "account_reset_password_done", "account_reset_password_from_key", "account_reset_password_from_key_done",
}  # fmt: skip
# For any signed-in user, about that user.
OWN_URLS = {
    "notifications", "session_state", "profile", "profile_email", "profile_sessions",
    "account_change_password", "account_set_password",
    "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_index", "mfa_activate_totp",
    "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes",
    "mfa_list_webauthn", "mfa_add_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn",
}  # fmt: skip
# Which rows the ids of an address are of, by its beginning. The first that fits counts.
ROWS: tuple[tuple[str, type[models.Model]], ...] = (
    ("talents/", Talent), ("contract-drafts/", ContractDraft), ("contracts/", Contract), ("consents/", Consent),
    ("takes/", Take), ("today/tasks/", Task), ("voices/", Voice), ("imports/texts/", ImportText),
    ("imports/files/", ImportFile), ("imports/clips/", ImportClip), ("imports/", Import), ("uploads/", ImportFile),
    ("offline-proofs/", OfflineProof), ("recordings/", Recording), ("builds/", Build), ("accounts/", Account),
    ("deletions/", RemoteVoice), ("remote-voices/", RemoteVoice), ("previews/", Preview),
)  # fmt: skip


def make_studio(producer: User) -> Studio:
    """A row for each address, and a second talent with a link that no test opens."""
    studio = Studio(producer, make_main_account())
    make_damageable_studio(studio)
    other = studio.make_talent("Someone Else")
    studio.make_contract(other)
    requested = studio.make_consent(other, ConsentStatus.REQUESTED)
    create_private_link([requested], producer)
    invitation = requested.invitations.get()
    Question.objects.create(consent=requested, invitation=invitation, text="How long?")
    Task.objects.create(kind="send_invitation", object_id=str(invitation.pk), status=TaskStatus.FAILED)
    return studio


def list_methods(name: str) -> set[str]:
    if name in OTHER_METHODS:
        return OTHER_METHODS[name]
    if name in FORM_URLS:
        return BOTH
    return {"POST"} if ACCESS[name][0] == "post" else READ


def find_row(name: str, pattern: str) -> models.Model:
    """An existing row that the address is about."""
    if "link>" in pattern or "question>" in pattern:
        return Invitation.objects.earliest("created_at").consents.get()
    model = next(model for start, model in ROWS if pattern.startswith(start))
    rows = model._default_manager.all()
    if name == "consent:take_audio":
        rows = rows.filter(acceptable=True)
    if name.startswith("voices:recording_cuts"):
        rows = rows.exclude(cut_proposal=None)
    names = {field.name for field in model._meta.concrete_fields}
    row = rows.order_by("created_at" if "created_at" in names else "pk").first()
    assert row is not None, name
    return row


def build_url(name: str, pattern: URLPattern) -> str:
    """The address with the ids of existing rows."""
    ids: dict[str, Callable[[], Any]] = {
        "pk": lambda: find_row(name, str(pattern.pattern)).pk,
        "link": lambda: Invitation.objects.earliest("created_at").pk,
        "question": lambda: Question.objects.earliest("asked_at").pk,
        "slug": lambda: "resemble_v2",
        "remote_id": lambda: "remote0",
    }
    values = {key: ids[key]() for key in pattern.pattern.converters}
    builds = "&".join(f"build={pk}" for pk in Build.objects.order_by("pk").values_list("pk", flat=True)[:2])
    return reverse(name, kwargs=values) + (f"?{builds}" if name.startswith("voices:compare") else "")


def is_expected(name: str, method: str, status: int, *, is_allowed: bool) -> bool:
    """Whether the table has this status. A URL may say first that it does not take the method."""
    if method not in list_methods(name):
        return status == 405 if is_allowed else status in {403, 405}
    if not is_allowed:
        return status == 403
    expected = OTHER_ANSWERS.get(name, OTHER_ANSWERS.get(f"{name} {method}"))
    return status == expected if expected else status in {200, 204, 302}


def list_studio_urls() -> dict[str, str]:
    patterns = dict(list_urls())
    return {name: build_url(name, patterns[name]) for name in ACCESS}


def build_other_url(name: str, pattern: URLPattern) -> str:
    """The address of a page beside those of the studio, with the ids of a link that this browser did not open."""
    if name == "account_reset_password_from_key":
        return reverse(name, kwargs={"uidb36": "1", "key": "set-password"})
    invitation = Invitation.objects.earliest("created_at")
    consent = invitation.consents.get()
    contract = consent.talent.contracts.get()
    known = {"link": invitation.pk, "contract": contract.pk, "token": "x" * 43, "name": "dataset.zip"}
    known |= {"provider": "resemble_v2", "provider_id": "studio"}
    known["pk"] = consent.pk if name.startswith("invitation:") else 1
    return reverse(name, kwargs={key: known[key] for key in pattern.pattern.converters})


class Requests:
    """Requests of one identity. What they change is taken back at once."""

    def __init__(self, client: Client, monkeypatch: Any) -> None:
        self.client = client
        client.raise_request_exception = False
        self.is_drawing = True
        render = Template.render
        # Thousands of refusals are logged, which takes longer than to make them.
        monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)

        def draw(template: Any, *args: Any, **kwargs: Any) -> Any:
            return render(template, *args, **kwargs) if self.is_drawing else ""

        monkeypatch.setattr(Template, "render", draw)

    def send(self, method: str, url: str, *, is_drawn: bool = False) -> int:
        """The status. Without `is_drawn`, templates are left empty, which most answers do not need."""
        self.is_drawing = is_drawn
        cookies = SimpleCookie(self.client.cookies.output(header="", sep=";"))
        with transaction.atomic():
            response: Any = self.client.generic(method, url, HTTP_ACCEPT="text/html")
            if response.streaming:
                b"".join(response.streaming_content)
            transaction.set_rollback(True)
        if response.cookies:
            self.client.cookies = cookies
        self.is_drawing = True
        return int(response.status_code)


def list_answers(requests: Requests, methods: Iterable[str], *, is_drawn: bool = False) -> Answers:
    """By URL of the studio, the status of each method."""
    return {
        name: {method: requests.send(method, url, is_drawn=is_drawn and method == "GET") for method in methods}
        for name, url in list_studio_urls().items()
    }


def find_wrong_answers(role: str, answers: Answers) -> list[str]:
    """The answers to this role that are not in the tables."""
    return [
        f"{role or 'no role'}: {method} {name}: {status}"
        for name, statuses in answers.items()
        for method, status in statuses.items()
        if not is_expected(name, method, status, is_allowed=role in ACCESS[name][1])
    ]
