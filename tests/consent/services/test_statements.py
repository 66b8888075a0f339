"""Statements from tables, and what an admin must check in each."""

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from consent.models import Consent, Purpose, Statement, Talent, Wording
from consent.services.invitations import request_consent
from consent.services.statements import (
    COLUMNS,
    MAX_BYTES,
    TRANSLATIONS,
    describe_language_risk,
    import_statements,
    import_translations,
    list_translated_languages,
)
from providers import registry
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.views.consent_steps import list_statements_to_check

pytestmark = [pytest.mark.django_db]

GERMAN = {
    "provider": "resemble_v2",
    "language": "de-DE",
    "text": "Ich weiß, dass {company} meine Stimme nutzt.",
    "wording": "studio",
    "source": "Our lawyer",
    "source_date": "2026-11-01",
    "check_on": "2027-02-01",
}
IMPORT_PAGE = "/administration/consent/statement/import/"


def make_table(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS, delimiter: str = ",") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=delimiter, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def import_rows(*rows: dict[str, str]) -> list[tuple[bool, str]]:
    return [(row.is_added, row.reason) for row in import_statements(make_table(*rows)).rows]


def test_row_becomes_a_statement_that_talents_can_be_asked_for(talent: Talent, producer: User) -> None:
    assert import_rows(GERMAN) == [(True, "")]
    consent = request_consent(talent, "resemble_v2", "de-DE", Purpose.NARRATION, producer, company="Nordlicht")
    assert consent.text == "Ich weiß, dass Nordlicht meine Stimme nutzt."
    statement = consent.statement
    assert (statement.version, statement.wording, statement.source) == (1, Wording.STUDIO, "Our lawyer")
    assert (statement.source_date, statement.check_on) == (date(2026, 11, 1), date(2027, 2, 1))


def test_new_text_becomes_a_version_and_the_same_text_changes_nothing(talent: Talent, producer: User) -> None:
    import_rows(GERMAN)
    consent = request_consent(talent, "resemble_v2", "de-DE", Purpose.NARRATION, producer, company="Nordlicht")
    assert import_rows(GERMAN) == [(False, "This text is in use already.")]
    assert import_rows(GERMAN | {"text": "Ich weiß es, {company}."}) == [(True, "")]
    rows = Statement.objects.filter(provider="resemble_v2", language="de-DE").order_by("version")
    assert [row.version for row in rows] == [1, 2]
    assert Consent.objects.get(pk=consent.pk).text == "Ich weiß, dass Nordlicht meine Stimme nutzt."


def test_retired_text_can_be_imported_again() -> None:
    import_rows(GERMAN)
    Statement.objects.filter(language="de-DE").update(retired=True)
    assert import_rows(GERMAN) == [(True, "")]
    assert Statement.objects.in_use().get(language="de-DE").version == 2


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"provider": "nonsense"}, "“nonsense” is not a known provider"),
        ({"language": "klingon!!"}, "“klingon!!” is not a known language"),
        ({"text": "Guten Tag"}, "has no {company}"),
        ({"text": "Ich, {name}, und {company}"}, "“{name}” is not a known placeholder"),
        ({"text": "Ich } und {company}"}, "“}” is not a known placeholder"),
        ({"text": "ाIch und {company}"}, "letters of another script: ा"),
        ({"wording": ""}, "must be “vendor”"),
        ({"source": ""}, "cannot be blank"),
        ({"source_date": "last week"}, "“last week” in source_date is not a date"),
        ({"check_on": "31.12.2026"}, "“31.12.2026” in check_on is not a date"),
    ],
)
def test_faulty_row_is_left_out_with_its_reason_and_the_others_are_added(changed: dict[str, str], reason: str) -> None:
    faulty, good = import_rows(GERMAN | changed, GERMAN | {"language": "de-AT"})
    assert not faulty[0] and reason in faulty[1]
    assert good == (True, "")
    assert Statement.objects.filter(language__startswith="de").count() == 1


def test_language_is_stored_in_its_usual_form_and_checked_in_a_year_by_default() -> None:
    columns = tuple(name for name in COLUMNS if name != "check_on")
    import_statements(make_table(GERMAN | {"language": "DE-de"}, columns=columns, delimiter=";"))
    statement = Statement.objects.get(language="de-DE")
    assert statement.check_on == timezone.localdate() + timedelta(days=365)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Missing: provider"),
        (b"provider,language,text\na,b,c\n", "Missing: wording, source, source_date"),
        (make_table(), "no rows below its titles"),
        (b"\xff\xfe\x00\xd8", "not text in UTF-8"),
        (b"x" * (MAX_BYTES + 1), "larger than 1 MB"),
    ],
)
def test_unreadable_table_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ActionRefused, match=message):
        import_statements(data)


def test_translations_are_the_studios_words_for_each_provider_in_five_languages() -> None:
    report = import_translations()
    assert report.added_count == len(report.rows) == 5 * len(registry.PROVIDERS)
    assert list_translated_languages() == ("de-DE", "fr-FR", "es-ES", "pt-BR", "ja-JP")
    added = Statement.objects.exclude(language="en-US")
    assert set(added.values_list("wording", flat=True)) == {"studio"}
    for row in added:
        assert registry.get_provider_label(row.provider).removesuffix(" v1") in row.text, row.text
    assert import_translations().added_count == 0
    assert TRANSLATIONS.exists()


def test_note_warns_where_the_provider_documents_another_language_only() -> None:
    import_translations()
    notes = {(row.provider, row.language): describe_language_risk(row) for row in Statement.objects.all()}
    assert notes["resemble_v2", "de-DE"].startswith("Resemble AI documents its statement in English only.")
    assert {key for key, note in notes.items() if note} == {("resemble_v2", tag) for tag in list_translated_languages()}


def test_only_the_text_of_the_vendors_page_is_in_its_words() -> None:
    wordings = dict(Statement.objects.values_list("provider", "wording"))
    assert {provider for provider, wording in wordings.items() if wording == "vendor"} == {"resemble_v2"}
    assert set(Statement.objects.values_list("check_on", flat=True)) == {date(2027, 11, 21)}


def test_form_of_the_admin_refuses_what_an_import_refuses(make_statement: Any) -> None:
    with pytest.raises(ValidationError, match="not a known language"):
        make_statement(language="klingon!!").full_clean()
    make_statement(language="de-DE").full_clean()


@pytest.fixture
def make_statement() -> Any:
    fields = GERMAN | {"check_on": None, "source_date": date(2026, 11, 1), "version": 7}
    return lambda **changed: Statement(**fields | changed)


# --- pages ------------------------------------------------------------------------------------


def test_admin_imports_a_table_and_reads_what_became_of_each_row(admin_client: Client) -> None:
    table = make_table(GERMAN, GERMAN | {"provider": "nonsense"})
    page = admin_client.post(IMPORT_PAGE, {"file": SimpleUploadedFile("statements.csv", table)}).content.decode()
    assert "1 of 2 added." in page and "“nonsense” is not a known provider" in page
    page = admin_client.post(IMPORT_PAGE, {"translations": ""}).content.decode()
    assert "25 of 25 added." in page
    page = admin_client.post(IMPORT_PAGE, {"file": SimpleUploadedFile("x.csv", b"a,b\n")}).content.decode()
    assert "Missing: provider" in page
    page = admin_client.post(IMPORT_PAGE, {}).content.decode()
    assert "This field is required" in page
    assert "Import statements" in admin_client.get("/administration/consent/statement/").content.decode()


def test_only_admins_import(producer_client: Client) -> None:
    assert producer_client.get(IMPORT_PAGE).status_code in (302, 403)
    producer_client.post(IMPORT_PAGE, {"translations": ""})
    assert not Statement.objects.exclude(language="en-US").exists()


def test_request_page_shows_whose_words_they_are(producer_client: Client, talent: Talent) -> None:
    import_translations()
    url = f"/talents/{talent.pk}/ask/statement/?statement=resemble_v2:de-DE&purpose=narration"
    page = producer_client.get(url).content.decode()
    assert "Studio’s words" in page or "Studio&#x27;s words" in page
    assert "may refuse another language" in page
    page = producer_client.get(url.replace("de-DE", "en-US")).content.decode()
    assert "Provider&#x27;s words" in page and "may refuse" not in page


def test_today_shows_statements_whose_check_is_due_to_admins(admin_client: Client, producer_client: Client) -> None:
    assert list(list_statements_to_check()) == []
    yesterday = timezone.localdate() - timedelta(days=1)
    Statement.objects.filter(provider="speechgen").update(check_on=yesterday)
    Statement.objects.filter(provider="voiceai").update(check_on=yesterday, retired=True)
    Statement.objects.filter(provider="audiostack").update(check_on=timezone.localdate())
    (step,) = list_statements_to_check()
    assert "Speechgen, English (US), version 1" in step.reasons[1] and len(step.reasons) == 2
    assert step.url in admin_client.get("/?steps=1").content.decode().replace("&amp;", "&")
    listed = admin_client.get(step.url)
    assert listed.status_code == 200
    assert [row.provider for row in listed.context["cl"].queryset] == ["speechgen"]
    assert step.url not in producer_client.get("/?steps=1").content.decode().replace("&amp;", "&")
