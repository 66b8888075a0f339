"""The lists and pages of rows in the admin: bounded queries and sizes, formatted values, links to the studio."""

import re
from collections.abc import Iterable

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Take, Talent
from tests.damaged_studio import make_damageable_studio
from tests.support.html import read_html
from tests.upgrade.studio_report import list_admin_urls
from tests.voices.admin_rows import make_rows
from tests.voices.rows import Studio
from voicehub.models import User
from voices.models import Build, Callback, Recording, RemoteVoice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

RAW_JSON = re.compile(r"""[{\[](?:'|"|&#x27;|&quot;|&#39;)|(?:'|"|&#x27;|&quot;|&#39;): (?:\[|\{|\d|True|&)""")
MAX_PAGE_BYTES = 300_000


@pytest.fixture
def staff(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def list_models() -> list[str]:
    """The models of the admin that have rows. The queues of django-rq have none."""
    labels = (model._meta.label_lower for model in admin.site._registry)
    return sorted(label for label in labels if not label.startswith("django_rq"))


def list_pages() -> list[str]:
    """The list of every model, and the page of a row of each model."""
    urls = [list(list_admin_urls(label)) for label in list_models()]
    assert [pages for pages in urls if len(pages) < 2] == [], "make a row of this model in tests/voices/admin_rows.py"
    return [url for pages in urls for url in (pages[0], pages[-1])]


def count_queries(client: Client, urls: Iterable[str]) -> dict[str, int]:
    counts = {}
    for url in urls:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url).status_code == 200, url
        counts[url] = len(queries)
    return counts


def change_url(row: Build | Consent | Recording | Take | Callback | Contract | RemoteVoice | Talent) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def test_query_count_of_admin_pages_does_not_grow_with_rows(staff: Client, studio: Studio) -> None:
    make_rows(studio, range(2))
    first_rows = [
        change_url(Consent.objects.earliest("created_at")), change_url(Build.objects.earliest("created_at")),
        change_url(Talent.objects.get(name="Talent 00")),
    ]  # fmt: skip
    pages = [*list_pages(), *first_rows]
    count_queries(staff, pages[:1])  # fills the caches
    before = count_queries(staff, pages)
    make_rows(studio, range(2, 30))
    after = count_queries(staff, pages)
    assert {url: (before[url], after[url]) for url in pages if after[url] > before[url]} == {}


def test_scores_of_a_build_have_two_decimals(staff: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    build.recordings.update(sample_score=0.4841)
    Build.objects.update(scores={"fluency": 0.4774, "pauses": 0.5})
    page = read_html(staff.get(change_url(build)))
    assert "0.48<" in page and "0.50</dd>" in page
    assert "0.484" not in page and "0.477" not in page


def test_narrow_list_of_consents_keeps_the_purpose(staff: Client, studio: Studio) -> None:
    studio.make_build(status="ready")
    page = read_html(staff.get(reverse("admin:consent_consent_changelist")))
    assert 'data-label="Purpose" data-narrow="bare"' in page


def test_page_of_a_build_shows_its_worst_recordings_and_leads_to_all(staff: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    studio.make_fileless_recordings(voice, 1000)
    build = studio.make_build(voice, "ready")
    build.recordings.update(sample_score=4.0)
    worst = build.recordings.get(recording__file_name="copy-00999.wav")
    worst.is_silent = True
    worst.save()
    response = staff.get(change_url(build))
    html = response.content.decode()
    assert len(response.content) < MAX_PAGE_BYTES
    assert html.index("copy-00999.wav") < html.index("copy-00000.wav")
    assert html.count("copy-0") == 10
    assert f"<h1>Build 1 of {voice}</h1>" in html
    url = f"{reverse('admin:voices_buildrecording_changelist')}?build__id__exact={build.pk}"
    assert f'<a href="{url}">All 1,000 recordings</a>' in html
    everything = staff.get(url)
    assert "1,000 build recordings" in read_html(everything)
    assert len(everything.content) < MAX_PAGE_BYTES


def test_lists_of_the_admin_are_bounded(staff: Client, studio: Studio) -> None:
    studio.make_fileless_recordings(studio.make_voice(), 1000)
    response = staff.get(reverse("admin:voices_recording_changelist"), {"all": ""})
    assert len(response.content) < MAX_PAGE_BYTES


def test_no_admin_page_shows_raw_json(staff: Client, studio: Studio) -> None:
    make_damageable_studio(studio)
    Callback.objects.create(
        build=Build.objects.latest("pk"), body='{"status": "done", "count": 3}', body_sha256="0" * 64
    )
    for label in ("consent.take", "consent.takecheck", "consent.contract", "voices.build", "voices.callback",
                  "voices.voice", "voices.recording", "voices.remotevoice", "voices.offlineproof"):  # fmt: skip
        for url in list_admin_urls(label):
            html = staff.get(url).content.decode()
            main = html[html.index('id="content-main"') : html.index('id="footer"')]
            shown = re.sub(r"<(?:script|input|form|option)[^>]*>", "", main)
            assert RAW_JSON.search(shown) is None, (url, RAW_JSON.findall(shown))


def test_values_are_formatted(staff: Client, studio: Studio) -> None:
    make_damageable_studio(studio)
    Recording.objects.update(seconds=5.8350113378684805, size=12_345_678, sample_rate=44100)
    recording = Recording.objects.earliest("pk")
    Recording.objects.filter(pk=recording.pk).update(created_at="2026-11-28T14:05:10Z", seconds=149.2)
    page = read_html(staff.get(change_url(recording)))
    for text in ("2 min 29 s", "11.8 MB", "44,100 Hz", "Nov 28, 2026, 14:05", "It is noisy. Move."):
        assert text in page, text
    rows = read_html(staff.get(reverse("admin:voices_recording_changelist")))
    assert "5.8 s" in rows and "5.835" not in rows
    assert f'<code class="code">{recording.sha256}</code>' in page
    assert page.index("Technical details") < page.index(recording.sha256)


def test_many_dates_stand_in_a_group_of_their_own(staff: Client, studio: Studio) -> None:
    make_damageable_studio(studio)
    Build.objects.update(created_at=timezone.now(), submitted_at=timezone.now(), finished_at=timezone.now())
    page = read_html(staff.get(change_url(Build.objects.earliest("pk"))))
    before, _heading, dates = page.partition(">Dates</h2>")
    assert "<label>Voice</label>" in before and "<label>Finished</label>" not in before
    assert "<label>Finished</label>" in dates.partition("</fieldset>")[0]
    assert ">Dates</h2>" not in read_html(staff.get(change_url(Recording.objects.earliest("pk"))))


def test_rows_link_to_the_studio_and_to_related_rows(staff: Client, studio: Studio) -> None:
    make_damageable_studio(studio)
    recording = Recording.objects.earliest("pk")
    voice_page = recording.voice.get_absolute_url()
    voice_row = reverse("admin:voices_voice_change", args=[recording.voice_id])
    for url in (change_url(recording), reverse("admin:voices_recording_changelist")):
        assert f'<a href="{voice_row}">Narrator</a>' in staff.get(url).content.decode()
    html = staff.get(change_url(recording)).content.decode()
    assert f'href="{voice_page}"' in html and "Open in the studio" in html


def test_admin_shows_no_secret(staff: Client, studio: Studio) -> None:
    make_rows(studio, range(2))
    for url in list_pages():
        html = staff.get(url).content.decode()
        assert "secret-digest" not in html and studio.account.encrypted_key not in html, url


def test_every_filter_link_has_a_text(staff: Client, studio: Studio) -> None:
    studio.make_build()
    RemoteVoice.objects.update(visibility="")
    for label in list_models():
        html = staff.get(reverse(f"admin:{label.replace('.', '_')}_changelist")).content.decode()
        assert re.search(r'<a href="\?[^"]*">\s*</a>', html) is None, label


def test_text_of_a_row_is_escaped(staff: Client, studio: Studio) -> None:
    build = studio.make_build()
    Build.objects.update(raw_response={"<b>name</b>": "<script>alert(1)</script>", "list": ["<i>"]})
    html = staff.get(change_url(build)).content.decode()
    assert "<script>alert(1)" not in html and "<b>name" not in html and "<i>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_page_of_a_recording_plays_it_unless_it_is_closed(
    staff: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_damageable_studio(studio)
    recording = Recording.objects.earliest("pk")
    audio = f'src="{reverse("voices:recording_audio", args=[recording.pk])}"'
    assert audio in staff.get(change_url(recording)).content.decode()
    monkeypatch.setattr("voices.admin.voices.are_recordings_closed", lambda voice, user: True)
    assert audio not in staff.get(change_url(recording)).content.decode()


@pytest.mark.parametrize(
    ("provider", "tier", "name"), [("audiostack", "rapid", "AudioStack, instant"), ("voiceai", "rapid", "Voice.ai")]
)
def test_list_of_builds_names_tiers_as_the_studio(
    staff: Client, studio: Studio, provider: str, tier: str, name: str
) -> None:
    build = studio.make_build()
    type(studio.account).objects.update(provider=provider)
    RemoteVoice.objects.update(tier=tier)
    page = read_html(staff.get(reverse("admin:voices_build_changelist")))
    by = f'<span class="only-desk">, by {build.started_by}</span>'
    assert f'{build.voice} <small class="sub">Build 1{by}</small>' in page
    assert re.search(rf'class="field-provider[^"]*"[^>]*>{name}</td>', page)


def test_lists_of_builds_and_consents_say_what_holds_now(staff: Client, studio: Studio) -> None:
    """As the lists of the studio: a voice whose consent was withdrawn, and a consent that ends with its contract."""
    build = studio.make_build(status="ready")
    builds, consents = reverse("admin:voices_build_changelist"), reverse("admin:consent_consent_changelist")
    assert ">Ready</span>" in read_html(staff.get(builds))
    assert ">No end<" in read_html(staff.get(consents))
    Contract.objects.filter(pk=build.contract_id).update(ends_on="2099-03-04")
    assert ">Mar 4, 2099<" in read_html(staff.get(consents))
    type(build.consent).objects.update(status=ConsentStatus.WITHDRAWN)
    page = read_html(staff.get(builds))
    assert ">Withdrawn</span>" in page and ">Ready</span>" not in page
    assert ">Mar 4, 2099<" not in read_html(staff.get(consents))
