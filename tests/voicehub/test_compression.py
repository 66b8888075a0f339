"""Pages are compressed in a way that keeps their secrets. Files are sent as they are."""

import gzip
import re

import pytest
from django.conf import settings
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from consent.models import Talent
from tests.voices.rows import PROVIDER, Studio
from voicehub.models import User
from voices.models import Account

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

WHITENOISE = "whitenoise.middleware.WhiteNoiseMiddleware"
COMPRESSION = "voicehub.middleware.PageCompressionMiddleware"
ACCEPT = {"Accept-Encoding": "gzip, br"}
AFTER_COMPRESSION = ("csp.", "voicehub.middleware.FormOrigin")
MASKED = re.compile(rb"\b\w{64}\b")  # the CSRF token, which is another one in each response
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')


@pytest.fixture
def studio(producer: User) -> Studio:
    account = Account.objects.create(name="Main", provider=PROVIDER, mode="sandbox")
    return Studio(producer, account)


def test_page_is_compressed_only_for_a_browser_that_accepts_it(producer_client: Client, talent: Talent) -> None:
    plain = producer_client.get(talent.get_absolute_url())
    packed = producer_client.get(talent.get_absolute_url(), headers=ACCEPT)
    assert "Content-Encoding" not in plain.headers and packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in plain.headers["Vary"] and "Accept-Encoding" in packed.headers["Vary"]
    assert packed.headers["Content-Length"] == str(len(packed.content))
    assert len(packed.content) * 2 < len(plain.content)
    assert MASKED.sub(b"", gzip.decompress(packed.content)) == MASKED.sub(b"", plain.content)


def test_length_of_a_compressed_page_is_random(producer_client: Client) -> None:
    """BREACH compares lengths. Each page gets up to 100 random bytes, and another mask of the CSRF token."""
    pages = [producer_client.get(reverse("consent:talent_add"), headers=ACCEPT).content for _ in range(12)]
    tokens = {match.group(1) for page in pages if (match := TOKEN.search(gzip.decompress(page)))}
    assert len(tokens) == len(pages), "a token that is the same in each page can be guessed"
    assert {len(gzip.decompress(page)) for page in pages} == {len(gzip.decompress(pages[0]))}
    # The flag of a file name in the header of gzip, which holds the random bytes.
    assert all(page[3] & 8 for page in pages)
    assert len({page.index(b"\0", 10) for page in pages}) > 1
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"


def read(response: HttpResponseBase) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def test_recording_and_its_ranges_are_not_compressed(producer_client: Client, studio: Studio) -> None:
    (recording,) = studio.make_recordings(studio.make_voice(), 1)
    url = reverse("voices:recording_audio", args=[recording.pk])
    with recording.file.open() as file:
        data = file.read()
    whole = producer_client.get(url, headers=ACCEPT)
    part = producer_client.get(url, headers=ACCEPT | {"Range": "bytes=0-999"})
    download = producer_client.get(f"{url}?download", headers=ACCEPT)
    for response in (whole, part, download):
        assert "Content-Encoding" not in response.headers
    assert (read(whole), read(part), read(download)) == (data, data[:1000], data)
    assert part.headers["Content-Length"] == "1000" and whole.headers["Content-Length"] == str(len(data))


def test_export_is_streamed_and_not_compressed(producer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    response = producer_client.get(reverse("voices:build_export", args=[build.pk]), headers=ACCEPT)
    assert response.streaming and "Content-Encoding" not in response.headers


def test_static_files_are_answered_before_the_compression_of_pages() -> None:
    order = settings.MIDDLEWARE
    static, pages = (order.index(name) for name in (WHITENOISE, COMPRESSION))
    assert static + 1 == pages
    assert all(order.index(name) > pages for name in order if name.startswith(AFTER_COMPRESSION))
