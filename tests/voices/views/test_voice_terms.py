"""Terms of contracts and consents on the pages of voices and on Today."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Consent, Contract, Talent
from consent.services.contracts import confirm_terms
from tests.support.html import read_html
from tests.voices.rows import PROVIDER, Studio
from voices.models import Voice
from voices.services.builds.recheck import check_gate_again, find_reasons_against_use
from voices.services.permission import check_voice_permission
from voices.views.next_step import NextStep

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def read_readiness(client: Client, voice: Voice) -> str:
    return read_html(client.get(reverse("voices:build_options", args=[voice.pk])))


def list_today_steps(client: Client) -> list[NextStep]:
    steps: list[NextStep] = client.get(reverse("today")).context["steps"]
    return steps


def get_voice_step(client: Client, voice: Voice) -> NextStep:
    (step,) = [step for step in list_today_steps(client) if step.subject == voice.name]
    return step


def post_voice(client: Client, talent: Talent, **fields: Any) -> Any:
    data = {"name": "Warm", "language": "de-DE", "purpose": "narration", "countries": ["worldwide"], **fields}
    return client.post(reverse("voices:voice_add", args=[talent.pk]), data)


def test_voice_is_added_with_its_countries(engineer_client: Client, studio: Studio) -> None:
    page = read_html(engineer_client.get(reverse("voices:voice_add", args=[studio.make_talent().pk])))
    (worldwide,) = re.findall(r"<input[^>]*worldwide[^>]*>", page)
    assert worldwide.endswith("checked>") and page.count("checked>") == 1
    post_voice(engineer_client, studio.make_talent(), countries=["FR", "DE"])
    voice = Voice.objects.get()
    assert voice.countries == ["DE", "FR"]
    assert "France and Germany" in read_html(engineer_client.get(voice.get_absolute_url()))


@pytest.mark.parametrize("countries", [[], ["worldwide", "DE"], ["XX"], ["de"]])
def test_voice_with_invalid_countries_is_refused(engineer_client: Client, studio: Studio, countries: list[str]) -> None:
    response = post_voice(engineer_client, studio.make_talent(), countries=countries)
    assert response.status_code == 200 and b"field-errors" in response.content
    assert not Voice.objects.exists()


def test_name_and_countries_of_a_voice_can_be_changed(engineer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    url = reverse("voices:voice_edit", args=[voice.pk])
    assert 'value="Warm narrator"' in read_html(engineer_client.get(url))
    engineer_client.post(url, {"name": "Bright", "countries": ["DE"], "language": "fr-FR", "purpose": "advertising"})
    voice.refresh_from_db()
    assert (voice.name, voice.countries, voice.language, voice.purpose) == ("Bright", ["DE"], "en-US", "narration")
    studio.make_voice("Taken", voice.talent)
    page = read_html(engineer_client.post(url, {"name": "Taken", "countries": ["FR"]}))
    assert "already has a voice called “Taken”" in page and "<title>Edit Bright" in page
    voice.refresh_from_db()
    assert (voice.name, voice.countries) == ("Bright", ["DE"])


def test_viewer_cannot_change_a_voice(viewer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    url = reverse("voices:voice_edit", args=[voice.pk])
    assert viewer_client.post(url, {"name": "Bright", "countries": ["DE"]}).status_code == 403
    assert url not in read_html(viewer_client.get(voice.get_readiness_url()))


def test_unconfirmed_terms_lead_to_the_form_that_confirms_them(producer_client: Client, studio: Studio) -> None:
    talent = studio.make_talent()
    contract = studio.make_contract(talent, is_confirmed=False, company="")
    studio.make_consent(talent)
    voice = studio.make_voice(talent=talent)
    link = f'<a href="{contract.get_absolute_url()}#confirm">Confirm terms</a>'
    page = read_readiness(producer_client, voice)
    assert page.count(link) == 4, "two reasons at each of two tiers"
    assert "the terms of the contract are not confirmed" in page
    step = get_voice_step(producer_client, voice)
    assert (step.action, step.url) == ("Confirm terms", f"{contract.get_absolute_url()}#confirm")
    confirm_terms(contract, studio.producer, company="Northlight Voices", purposes=["narration"])
    assert "confirm" not in read_readiness(producer_client, voice)


def test_countries_of_a_voice_lead_to_its_form(producer_client: Client, studio: Studio) -> None:
    talent = studio.make_talent()
    studio.make_contract(talent, countries=["DE"])
    studio.make_consent(talent)
    voice = studio.make_voice(talent=talent)
    url = reverse("voices:voice_edit", args=[voice.pk])
    page = read_readiness(producer_client, voice)
    assert f'<a href="{url}">Change countries</a>' in " ".join(page.split()) and "covers only Germany" in page
    assert "the contract does not cover the countries" in page
    assert get_voice_step(producer_client, voice).url == url
    producer_client.post(url, {"name": voice.name, "countries": ["DE"]})
    assert "Change countries" not in read_readiness(producer_client, voice)


def test_voice_without_a_choice_of_countries_is_worldwide(producer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    Voice.objects.update(countries=[])
    assert check_voice_permission(Voice.objects.get(), PROVIDER).is_given
    Contract.objects.update(countries=["DE"])
    assert "The voice is used worldwide" in read_readiness(producer_client, voice)


def test_warnings_are_shown_with_the_readiness(viewer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    assert "states no pay" not in read_readiness(viewer_client, voice)
    Contract.objects.update(compensation="")
    assert "states no pay" in read_readiness(viewer_client, voice)


# --- voices that exist already ---


def test_today_asks_once_for_each_contract_to_confirm(producer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="ready")
    assert not [
        step for step in list_today_steps(producer_client) if step.status in {"To confirm", "No longer allowed"}
    ]
    Contract.objects.update(company="", countries=[])
    (step,) = [step for step in list_today_steps(producer_client) if step.subject == build.voice.talent.name]
    assert (step.status, step.action) == ("To confirm", "Confirm terms")
    assert "confirm the party and the countries." in step.reasons[0]
    assert not [step for step in list_today_steps(producer_client) if step.status == "No longer allowed"]
    confirm_terms(build.contract, studio.producer, company="Northlight Voices", countries=["worldwide"])
    assert not [step for step in list_today_steps(producer_client) if step.status == "To confirm"]


def test_today_names_a_contract_without_any_confirmed_purpose(viewer_client: Client, studio: Studio) -> None:
    talent = studio.make_talent()
    studio.make_contract(talent, is_confirmed=False)
    studio.make_contract(talent, is_confirmed=False, ends_on="2025-02-01")
    (step,) = [step for step in list_today_steps(viewer_client) if step.status == "To confirm"]
    assert "confirm the purposes." in step.reasons[0]
    assert not step.is_allowed and step.url == talent.get_absolute_url()


def add_exclusive_contract(studio: Studio) -> None:
    studio.make_contract(Talent.objects.get(), exclusive=True, company="Other", providers=[], purposes=[])


CHANGES: dict[str, tuple[Callable[[Studio], object], str]] = {
    "another name": (lambda _: Talent.objects.update(name="Tilda Berg"), "names “Tilda Strand”, not “Tilda Berg”"),
    "another party": (lambda _: Contract.objects.update(company="Other"), "is with Other"),
    "fewer countries": (lambda _: Contract.objects.update(countries=["DE"]), "covers only Germany"),
    "another language": (lambda _: Voice.objects.update(language="de-DE"), "was read in English"),
    "an exclusive contract": (add_exclusive_contract, "gives Other the exclusive use"),
}


@pytest.mark.usefixtures("reads_names")
@pytest.mark.parametrize("change", CHANGES)
def test_changed_terms_stop_a_voice_and_are_shown_on_today(
    producer_client: Client, studio: Studio, change: str
) -> None:
    build = studio.make_build(status="ready")
    assert find_reasons_against_use(build.remote_voice) == ()
    act, text = CHANGES[change]
    act(studio)
    build = type(build).objects.get()
    assert text in " ".join(find_reasons_against_use(build.remote_voice))
    assert text in " ".join(check_gate_again(build))
    step = get_voice_step(producer_client, build.voice)
    assert step.status == "No longer allowed" and text in " ".join(step.reasons)


def test_running_build_of_the_version_before_goes_on_without_confirmed_terms(studio: Studio) -> None:
    build = studio.make_build()
    Contract.objects.update(company="", countries=[])
    assert find_reasons_against_use(build.remote_voice) != () and check_gate_again(build) == ()
    Contract.objects.update(ends_on="2025-02-01")
    studio.make_contract(build.voice.talent, is_confirmed=False)
    assert "is not confirmed for narration and audiobooks" in check_gate_again(build)[0]
    Consent.objects.update(talent_name="")
    assert "given under another name" in check_gate_again(build)[0]
