"""The build options of a voice, each a row of its page: status, offered handovers, excluded recordings, price."""

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Statement
from providers import registry
from providers.types import Handover
from tests.support.html import read_html
from tests.support.offline_proofs import make_required_proof
from tests.voices.rows import Studio
from voicehub.text import join_with_and
from voices.build_option import BuildOption
from voices.build_options import list_build_options
from voices.models import Account, Build, RecordingStatus, RemoteVoice, Voice
from voices.models.limits import get_all_limits, get_limits
from voices.services.builds.nearest import Rank
from voices.services.builds.readiness import check_readiness, check_readiness_everywhere
from voices.services.builds.start import BuildRefused, cancel_build, start_build
from voices.services.recordings.figures import update_figures

pytestmark = pytest.mark.django_db
PROVIDERS = ("resemble_v2", "resemble_v1", "audiostack", "speechgen", "voiceai")
SILENT = {"severity": "look", "code": "silent", "text": "No speech detected.", "advice": "Exclude it.", "at": None}


def make_account(provider: str, **fields: Any) -> Account:
    account = Account(name=f"At {provider}", provider=provider, mode="sandbox", **fields)
    account.set_key("a-key-of-the-sandbox")
    account.save(force_insert=True)
    return account


@pytest.fixture
def full_studio(studio: Studio) -> Studio:
    """A studio with an account at each provider. `studio` already has an account at the first provider."""
    for provider in PROVIDERS[1:]:
        make_account(provider)
    return studio


def make_allowed_voice(studio: Studio) -> Voice:
    """Make a voice whose contract and consents allow every provider."""
    voice = studio.make_voice()
    Contract.objects.update(providers=list(PROVIDERS))
    consent = Consent.objects.get()
    for provider in PROVIDERS[1:]:
        consent.pk, consent.provider = uuid.uuid4(), provider
        consent.save(force_insert=True)
        for account in Account.objects.filter(provider=provider):
            make_required_proof(consent, account, voice.created_by)
    return voice


def find_option(voice: Voice, provider: str, tier: str = "rapid") -> BuildOption:
    (option,) = [
        option
        for option in list_build_options(voice)
        if (option.account.provider, option.readiness.capabilities.tier) == (provider, tier)
    ]
    return option


def read_voice_page(client: Client, voice: Voice) -> str:
    return " ".join(client.get(voice.get_readiness_url()).content.decode().split())


def extract_row(text: str, option: BuildOption) -> str:
    """Return the part of the page for one option."""
    return text.partition(f'id="option-{option.key}"')[2].partition('</li><li class="option-row-row"')[0]


# --- status -------------------------------------------------------------------------------


def test_ready_options_come_first_and_paused_ones_last(
    producer_client: Client, admin_client: Client, full_studio: Studio
) -> None:
    voice = make_allowed_voice(full_studio)
    full_studio.make_recordings(voice)
    Account.objects.filter(provider="voiceai").update(paused_at=timezone.now(), pause_reason="The key was refused.")
    options = list_build_options(voice)
    assert [option.rank for option in options] == sorted(option.rank for option in options)
    assert {option.name for option in options if option.is_ready} == {
        "Resemble AI, rapid", "Resemble AI v1", "AudioStack, instant", "Speechgen",
    }  # fmt: skip
    assert [option.name for option in options][-1] == "Voice.ai"
    text = read_voice_page(producer_client, voice)
    assert ">The key was refused.</span>" in extract_row(text, options[-1])
    paused_row = extract_row(text, options[-1])
    assert (
        reverse("voices:account", args=[options[-1].account.pk]) in paused_row and "Start clone build" not in paused_row
    )
    link = f'{reverse("voices:account", args=[options[-1].account.pk])}#new-key">Enter a new key<'
    assert link not in text, "a producer does not change accounts"
    assert link in read_voice_page(admin_client, voice)


@pytest.mark.parametrize(
    ("provider", "tier", "summary"),
    [
        ("resemble_v2", "rapid", "These 3 recordings will be sent, 12 s of speech."),
        ("resemble_v2", "professional", "also missing: 9 min 48 s of speech."),
        ("resemble_v1", "professional", "These 3 recordings will be sent, 12 s of speech."),
        ("audiostack", "rapid", "These 3 recordings will be sent, 12 s of speech."),
        ("audiostack", "professional", "19 min 48 s of speech missing."),
        ("speechgen", "rapid", "One file of 13 s will be sent, made of these 3 recordings."),
        ("voiceai", "rapid", "One file of 13 s will be sent, made of these 3 recordings."),
    ],
)
def test_row_of_each_build_option_shows_its_summary(
    viewer_client: Client, full_studio: Studio, provider: str, tier: str, summary: str
) -> None:
    voice = make_allowed_voice(full_studio)
    full_studio.make_recordings(voice)
    option = find_option(voice, provider, tier)
    assert option.summary == summary
    assert f">{summary}</span>" in extract_row(read_voice_page(viewer_client, voice), option)


def test_summary_names_missing_consent_and_contract(full_studio: Studio) -> None:
    talent = full_studio.make_talent()
    voice = full_studio.make_voice(talent=talent)
    full_studio.make_recordings(voice)
    assert find_option(voice, "speechgen").summary == "also missing: the contract."
    full_studio.make_contract(talent, providers=list(PROVIDERS))
    option = find_option(voice, "speechgen")
    assert (option.summary, option.badge) == ("the consent missing.", ("wait", "Consent missing"))
    assert find_option(voice, "audiostack", "professional").summary == "also missing: 19 min 48 s of speech."
    full_studio.make_consent(talent)
    assert find_option(voice, "resemble_v2").is_ready
    assert find_option(voice, "resemble_v2", "professional").badge[1].endswith(" recordings missing")
    Consent.objects.update(status=ConsentStatus.SUSPENDED)
    assert find_option(voice, "resemble_v2").summary == "the consent is suspended."
    assert not find_option(voice, "resemble_v2").wants_consent_request, "the consent exists and is suspended"


def test_summary_names_problems_of_the_recordings(full_studio: Studio) -> None:
    voice = make_allowed_voice(full_studio)
    full_studio.make_recordings(voice, transcript="")
    assert find_option(voice, "resemble_v2").summary == "3 transcripts missing."
    assert find_option(voice, "speechgen").is_ready, "it takes no transcripts"
    voice.recordings.update(transcript="Words.", seconds=25.0)
    assert find_option(voice, "resemble_v1", "professional").is_ready, "one long WAV may have any length"
    voice.recordings.update(seconds=70.0)
    assert find_option(voice, "resemble_v2", "professional").summary.endswith("some recordings are too long.")
    assert find_option(voice, "resemble_v2").is_ready, "a rapid voice takes one WAV"


def test_row_with_an_active_build_links_to_the_build(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="training")
    option = find_option(build.voice, "resemble_v2")
    assert (option.rank, option.summary) == (Rank.BUILDING, "a build is in progress.")
    assert option.is_said_by_badge, "the state says it already"
    text = extract_row(read_voice_page(viewer_client, build.voice), option)
    assert build.get_absolute_url() in text and "Start rapid build" not in text


def test_row_of_a_build_option_shows_its_price(producer_client: Client, full_studio: Studio) -> None:
    text = read_voice_page(producer_client, full_studio.make_voice())
    assert "At audiostack · sandbox, free" in text and "Cost with a live account: 300 credits on success." in text
    assert "Cost with a live account: 1,200 credits on success." in text
    Account.objects.update(mode="live")
    assert "At audiostack · cost: 300 credits on success" in read_voice_page(producer_client, Voice.objects.get())


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_are_joined_with_commas_and_and(parts: list[str], text: str) -> None:
    assert join_with_and(parts) == text


# --- handovers: ways to send the recordings -----------------------------------------------


def test_only_possible_handovers_are_offered(producer_client: Client, full_studio: Studio) -> None:
    voice = make_allowed_voice(full_studio)
    full_studio.make_recordings(voice)

    def list_handovers() -> list[str]:
        return [value for value, _label in find_option(voice, "resemble_v1", "professional").handovers]

    assert list_handovers() == ["signed_put_texts", "signed_put_clips", "signed_put_wav"]
    voice.recordings.filter(pk=voice.recordings.all()[0].pk).update(transcript="")
    assert list_handovers() == ["signed_put_clips", "signed_put_wav"]
    voice.recordings.update(seconds=25.0)
    assert list_handovers() == ["signed_put_wav"]
    text = extract_row(read_voice_page(producer_client, voice), find_option(voice, "resemble_v1", "professional"))
    assert '<input type="hidden" name="handover" value="signed_put_wav">' in text and "Start professional build" in text


def test_each_offered_handover_starts_a_build(producer_client: Client, full_studio: Studio) -> None:
    voice = make_allowed_voice(full_studio)
    full_studio.make_recordings(voice)
    handovers = []
    for option in [option for option in list_build_options(voice) if option.is_ready]:
        for handover, _label in option.handovers:
            data = {"account": option.account.pk, "tier": option.readiness.capabilities.tier, "handover": handover}
            producer_client.post(reverse("voices:build_start", args=[voice.pk]), data)
            build = Build.objects.get(status="queued")
            assert (build.handover, build.recordings.count()) == (handover, option.clip_selection.count)
            cancel_build(build, full_studio.producer)
            handovers.append(handover)
    assert sorted(set(handovers)) == sorted(Handover), "the options offer every handover"


def test_voice_trained_on_a_dataset_offers_only_datasets(full_studio: Studio) -> None:
    build = full_studio.make_build(status="ready", handover="dataset_url")
    assert [handover for handover, _label in find_option(build.voice, "resemble_v2").handovers] == ["dataset_url"]
    RemoteVoice.objects.update(retired_at=timezone.now())
    assert [handover for handover, _label in find_option(build.voice, "resemble_v2").handovers] == [
        "recordings",
        "dataset_url",
    ]


def test_row_that_lacks_only_consent_links_to_the_consent_form(
    producer_client: Client, viewer_client: Client, full_studio: Studio
) -> None:
    voice = full_studio.make_voice()
    Contract.objects.update(providers=list(PROVIDERS))
    full_studio.make_recordings(voice)
    option = find_option(voice, "voiceai")
    assert (
        option.wants_consent_request
        and "statement=voiceai%3Aen-US" in option.consent_url
        and "purpose=narration" in option.consent_url
    )
    text = read_voice_page(producer_client, voice)
    assert f'option-action" href="{option.consent_url.replace("&", "&amp;")}"' in text
    form = read_html(producer_client.get(option.consent_url))
    assert re.search(r"value=\"voiceai:narration\"[^>]* checked", form), form
    assert "option-action" not in read_voice_page(viewer_client, voice)
    assert find_option(voice, "audiostack", "professional").wants_consent_request, "the minutes can come later"
    Contract.objects.update(providers=["resemble_v2"])
    assert not find_option(voice, "voiceai").wants_consent_request


def test_consent_link_selects_a_statement_in_the_voice_language(full_studio: Studio) -> None:
    voice = full_studio.make_voice()
    Voice.objects.update(language="en-GB")
    voice.refresh_from_db()
    assert "statement=voiceai%3Aen-US" in find_option(voice, "voiceai").consent_url, (
        "another region of the same language"
    )
    Statement.objects.filter(provider="voiceai").update(retired=True)
    assert "statement" not in find_option(voice, "voiceai").consent_url


# --- excluded recordings ------------------------------------------------------------------


def test_best_recordings_are_sent_and_the_rest_are_excluded_with_a_reason(
    viewer_client: Client, full_studio: Studio
) -> None:
    voice = make_allowed_voice(full_studio)
    clips = full_studio.make_recordings(voice, 5)
    voice.recordings.update(seconds=20.0, levels={"snr_db": 40.0}, findings=[])
    voice.recordings.filter(pk=clips[0].pk).update(levels={"snr_db": 12.0})
    voice.recordings.filter(pk=clips[1].pk).update(findings=[SILENT])
    update_figures(voice.recordings.all())
    option = find_option(voice, "voiceai")
    assert option.summary == "One file of 40 s will be sent, made of the best 2 of 5 recordings."
    reasons = {excluded.name: excluded.reason for excluded in option.excluded_recordings}
    assert reasons[clips[1].file_name] == "no speech detected"
    assert reasons[clips[0].file_name] == "the limit is reached with better recordings"
    text = extract_row(read_voice_page(viewer_client, voice), option)
    assert "3 excluded" in text and all(clip.file_name in text for clip in clips)
    build = start_build(voice, option.account, "rapid", "one_file", full_studio.producer)
    assert {str(row.recording_id) for row in build.recordings.all()} == {
        str(row.id) for row in option.clip_selection.rows
    }


def test_too_short_recording_is_excluded_with_its_reason(full_studio: Studio) -> None:
    voice = make_allowed_voice(full_studio)
    short, *_others = full_studio.make_recordings(voice, 3)
    voice.recordings.filter(pk=short.pk).update(seconds=1.2)
    assert find_option(voice, "audiostack").excluded_recordings == [(short.file_name, "too short for this provider")]


def test_option_whose_recordings_are_all_excluded_is_not_ready(producer_client: Client, full_studio: Studio) -> None:
    voice = make_allowed_voice(full_studio)
    full_studio.make_recordings(voice, 3)
    voice.recordings.update(findings=[SILENT])
    update_figures(voice.recordings.all())
    option = find_option(voice, "speechgen")
    assert (option.is_ready, option.summary) == (False, "too few of the recordings can be sent.")
    assert "Only 0 s can be sent" in extract_row(read_voice_page(producer_client, voice), option)
    with pytest.raises(BuildRefused, match="Only 0 s can be sent"):
        start_build(voice, option.account, "rapid", "one_file", full_studio.producer)


# --- readiness ----------------------------------------------------------------------------


def test_readiness_everywhere_equals_readiness_of_each_account(full_studio: Studio) -> None:
    voice = make_allowed_voice(full_studio)
    full_studio.make_recordings(voice, 3)
    voice.recordings.filter(pk=voice.recordings.all()[0].pk).update(seconds=15.0, transcript="x" * 1500)
    results = check_readiness_everywhere(voice)
    assert len(results) == sum(len(provider.tiers) for provider in registry.list_providers())
    for account, readiness in results:
        assert check_readiness(voice, account, readiness.capabilities.tier) == readiness


def test_amounts_that_are_only_recommended_are_advice_and_no_gaps(full_studio: Studio) -> None:
    voice = full_studio.make_voice()
    full_studio.make_recordings(voice)
    readiness = find_option(voice, "resemble_v1", "professional").readiness
    assert (readiness.needed_recording_count, readiness.gaps) == (1, ())
    assert "47 more recordings would improve the voice." in [advice.text for advice in readiness.advice]


def test_advice_asks_for_more_speech_in_languages_other_than_english(full_studio: Studio) -> None:
    voice = full_studio.make_voice()
    full_studio.make_recordings(voice)

    def read_advice(tier: str) -> str:
        return " ".join(advice.text for advice in find_option(voice, "audiostack", tier).readiness.advice)

    assert "Another 1 min 48 s" in read_advice("rapid") and "Another" not in read_advice("professional")
    Voice.objects.update(language="pl-PL")
    voice.refresh_from_db()
    assert "Another 44 min 48 s" in read_advice("professional")


def test_query_count_does_not_grow_with_accounts_and_recordings(producer_client: Client, full_studio: Studio) -> None:
    voice = make_allowed_voice(full_studio)
    full_studio.make_recordings(voice)
    path = reverse("voices:build_options", args=[voice.pk])

    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert producer_client.get(path).status_code == 200
        return len(queries)

    count_queries()
    queries_before = count_queries()
    for number, provider in enumerate(PROVIDERS):
        Account.objects.create(name=f"More {number}", provider=provider)
    full_studio.make_fileless_recordings(voice, 60)
    assert count_queries() == queries_before


def test_limits_read_together_equal_the_limits_of_each_tier() -> None:
    for (provider, tier), limits in get_all_limits().items():
        assert limits == get_limits(registry.get_provider_class(provider).tiers[tier], provider)


def test_refused_recording_is_not_selected_for_a_build(full_studio: Studio) -> None:
    voice = make_allowed_voice(full_studio)
    full_studio.make_recordings(voice, 4)
    voice.recordings.filter(pk=voice.recordings.all()[0].pk).update(status=RecordingStatus.REFUSED)
    assert len(find_option(voice, "audiostack").clip_selection.rows) == 3


# --- refresh ------------------------------------------------------------------------------


def test_rows_refresh_on_events_and_have_unique_ids(viewer_client: Client, full_studio: Studio) -> None:
    voice = full_studio.make_voice()
    text = read_html(viewer_client.get(reverse("voices:build_options", args=[voice.pk])))
    assert 'hx-trigger="readiness-changed from:body, recordings-changed from:body"' in text
    keys = [f'id="option-{option.key}"' for option in list_build_options(voice)]
    assert len(set(keys)) == 7 and all(text.count(key) == 1 for key in keys)
    assert '" open>' not in text, "several rows start closed"


def test_single_build_option_is_open_and_empty_list_says_what_to_do(
    viewer_client: Client, superuser_client: Client, studio: Studio
) -> None:
    voice = studio.make_voice()
    Account.objects.update(provider="voiceai")
    assert '" open>' in read_voice_page(viewer_client, voice)
    Account.objects.all().delete()
    assert "An admin has to add an account first." in read_voice_page(viewer_client, voice)
    assert reverse("voices:account_add") in read_voice_page(superuser_client, voice)


def test_unsupported_language_is_refused_before_submit(full_studio: Studio, producer_client: Client) -> None:
    voice = make_allowed_voice(full_studio)
    Voice.objects.update(language="ja-JP")
    voice.refresh_from_db()
    option = find_option(voice, "voiceai")
    assert not option.is_ready and "the provider does not support this language" in option.summary
    with pytest.raises(BuildRefused, match="no voices in this language"):
        start_build(voice, option.account, "rapid", Handover.ONE_FILE, full_studio.producer)
    assert "the provider does not support this language" not in find_option(voice, "speechgen").summary
    assert 'href=""' not in read_voice_page(producer_client, voice)


def test_sent_consent_has_the_same_state_as_in_the_header(producer_client: Client, full_studio: Studio) -> None:
    talent = full_studio.make_talent()
    voice = full_studio.make_voice(talent=talent)
    full_studio.make_recordings(voice)
    full_studio.make_contract(talent, providers=list(PROVIDERS))
    full_studio.make_consent(talent, ConsentStatus.SUBMITTED)
    option = find_option(voice, "resemble_v2")
    assert (option.badge[1], option.is_said_by_badge) == ("Consent to review", True)
    page = read_html(producer_client.get(voice.get_readiness_url()))
    assert "For Resemble AI, rapid, the nearest to ready" in page


def test_options_that_the_same_thing_stops_are_one_line(producer_client: Client, full_studio: Studio) -> None:
    voice = full_studio.make_voice(talent=full_studio.make_talent())
    groups = producer_client.get(voice.get_readiness_url()).context["option_groups"]
    folded = [group for group in groups if group.is_folded]
    assert [len(group.rows) >= 3 for group in groups] == [group.is_folded for group in groups] and folded
    assert all(len({option.badge[1] for option, _fix in group.rows}) == 1 for group in groups)
    shown = [option.key for group in groups for option, _fix in group.rows]
    assert sorted(shown) == sorted(option.key for option in list_build_options(voice))
    chosen = folded[0].keys[-1]
    page = read_html(producer_client.get(f"{voice.get_readiness_url()}?option={chosen}"))
    assert f'id="{folded[0].key}" open' in page, "an address of a row opens its group"


def test_line_of_several_options_has_the_step_that_they_share(
    producer_client: Client, viewer_client: Client, full_studio: Studio
) -> None:
    talent = full_studio.make_talent()
    voice = full_studio.make_voice(talent=talent)
    full_studio.make_contract(talent, providers=list(PROVIDERS))
    groups = producer_client.get(voice.get_readiness_url()).context["option_groups"]
    [missing] = [group for group in groups if group.badge[1] == "Consent missing"]
    assert missing.fix == missing.rows[0][1] and missing.fix.action == "Request consent"
    text = f'Request consent<span class="visually-hidden"> for {missing.rows[0][0].name}</span>'
    assert " ".join(text.split()) in " ".join(read_voice_page(producer_client, voice).split())
    for group in viewer_client.get(voice.get_readiness_url()).context["option_groups"]:
        assert group.fix is None, "a viewer cannot request a consent"
