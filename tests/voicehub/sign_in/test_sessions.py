"""Sessions: keys are not in the database, they end when idle and at a fixed time, and their person can end them."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.voicehub.sign_in.codes import PASSWORD, is_signed_in, sign_in
from voicehub.models import BrowserSession, SecurityEvent, SecurityEventKind, User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
IDLE = timedelta(minutes=settings.VOICEHUB_IDLE_MINUTES)
TODAY = "/"


@pytest.fixture
def client(producer: User) -> Client:
    """Paula's browser, signed in."""
    client = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    sign_in(client, "paula")
    return client


def is_open(client: Client) -> bool:
    return client.get(TODAY).status_code == 200


def test_session_key_is_not_in_the_database(client: Client) -> None:
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM voicehub_browsersession")
        assert key not in str(cursor.fetchall())
    client.cookies[settings.SESSION_COOKIE_NAME] = BrowserSession.objects.get(user__isnull=False).pk
    assert not is_open(client)


def test_session_ends_when_its_person_is_idle(client: Client) -> None:
    BrowserSession.objects.update(seen_at=timezone.now() - IDLE + timedelta(seconds=30))
    assert is_open(client)
    BrowserSession.objects.update(seen_at=timezone.now() - IDLE)
    assert not is_open(client)


def test_activity_keeps_a_session_and_polls_do_not(client: Client) -> None:
    long_ago = timezone.now() - IDLE + timedelta(minutes=1)
    BrowserSession.objects.update(seen_at=long_ago)
    client.get(TODAY, headers={"HX-Request": "true"})
    assert BrowserSession.objects.get(user__isnull=False).seen_at == long_ago
    client.get(TODAY)
    seen_at = BrowserSession.objects.get(user__isnull=False).seen_at
    assert seen_at and seen_at > timezone.now() - timedelta(minutes=1)


def test_activity_does_not_move_the_end_of_a_session(client: Client) -> None:
    end = BrowserSession.objects.get(user__isnull=False).expire_date
    assert abs(end - timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)) < timedelta(minutes=1)
    BrowserSession.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    client.post("/notifications/", {"mails_build_ready": "on"})
    client.get(TODAY)
    assert BrowserSession.objects.get(user__isnull=False).expire_date == end
    BrowserSession.objects.update(expire_date=timezone.now())
    assert not is_open(client)


def test_profile_lists_sessions_and_ends_one_or_all_others(client: Client, producer: User) -> None:
    others = [Client() for _ in range(3)]
    for other in others:
        sign_in(other, "paula")
    page = client.get("/profile/").content.decode()
    assert page.count("Unknown browser") >= 3 and "Firefox on Linux" in page and "This browser" in page
    first = BrowserSession.objects.filter(user=producer).order_by("started_at")[1]
    client.post("/profile/sessions/", {"session": first.pk})
    assert [is_open(other) for other in others] == [False, True, True]
    client.post("/profile/sessions/")
    assert [is_open(one) for one in (client, *others)] == [True, False, False, False]
    ended = SecurityEvent.objects.filter(kind=SecurityEventKind.SESSIONS_ENDED).values_list("subject", flat=True)
    assert sorted(ended) == ["1", "2"]


def test_session_of_another_person_cannot_be_ended(client: Client, viewer: User) -> None:
    other = Client()
    sign_in(other, "vera")
    client.post("/profile/sessions/", {"session": BrowserSession.objects.get(user=viewer).pk})
    assert is_open(other)


def test_changed_password_ends_all_other_sessions(client: Client) -> None:
    other = Client()
    sign_in(other, "paula")
    new = {"oldpassword": PASSWORD, "password1": "correct horse battery", "password2": "correct horse battery"}
    assert client.post("/profile/password/", new).status_code == 302
    assert (is_open(client), is_open(other)) == (True, False)


def test_changed_password_needs_the_present_one(client: Client, producer: User) -> None:
    new = {"oldpassword": "not the secret", "password1": "correct horse battery", "password2": "correct horse battery"}
    assert b"This is not your present password." in client.post("/profile/password/", new).content
    producer.refresh_from_db()
    assert producer.check_password(PASSWORD)


def test_sign_in_changes_the_session_key(producer: User) -> None:
    client = Client()
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted = str(session.session_key)
    sign_in(client, "paula")
    assert is_signed_in(client) and client.cookies[settings.SESSION_COOKIE_NAME].value != planted
    assert not type(session)().exists(planted)


def test_admin_ends_the_session_of_another_person(client: Client, admin: User, producer: User) -> None:
    admin_client = Client()
    admin_client.force_login(admin)
    row = BrowserSession.objects.get(user=producer)
    selected = {"action": "end", "_selected_action": [row.pk]}
    admin_client.post("/administration/voicehub/browsersession/", selected)
    assert not is_open(client)
    event = SecurityEvent.objects.get(kind=SecurityEventKind.SESSIONS_ENDED)
    assert (event.actor, event.person) == (admin, producer)


def test_deactivated_person_is_out_at_once(client: Client, producer: User) -> None:
    producer.is_active = False
    producer.save()
    assert not is_open(client)


def test_sign_out_ends_the_session_and_clears_what_the_browser_stored(client: Client) -> None:
    response = client.post("/sign-out/")
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_signed_in(client)
    assert not BrowserSession.objects.filter(user__isnull=False).exists()
