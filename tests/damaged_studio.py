"""A studio with a row of every kind that pages show, the pages that show them, and ways to damage rows and files."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.files.base import ContentFile
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Take, TakeCheck
from consent.models.take import make_take_path
from consent.services.contract_drafts import store_draft
from tests.support.pdfs import make_pdf
from tests.test_urls import ACCESS, list_urls
from tests.upgrade.studio_report import list_admin_urls
from tests.voices.rows import Studio, make_clip
from voicehub.json_fields import ShapedJSONField
from voicehub.models import User
from voicehub.storage import private
from voices.models import (
    Build,
    CutProposal,
    Import,
    ImportClip,
    ImportFile,
    ImportLine,
    ImportPart,
    ImportText,
    OfflineProof,
    Preview,
    Recording,
    RemoteVoice,
    Voice,
)

NOTE = "Some data was changed or lost and is not shown"
FINDING = {"severity": "look", "code": "noisy", "text": "It is noisy.", "advice": "Move.", "at": 1.5}
LEVELS = {
    "peak_dbfs": -3.0, "rms_dbfs": -20.0, "dc_offset": 0.0, "clipped_share": 0.1, "noise_floor_dbfs": -60.0,
    "snr_db": 30.0, "speech_seconds": 3.0, "leading_silence": 0.1, "trailing_silence": 0.2, "clipped_runs": 1,
    "clipped": [[0.5, 0.6]], "pauses": [[1.0, 1.5]],
}  # fmt: skip
MEASURES = {
    "seconds": 4.0, "peak_dbfs": -3.0, "rms_dbfs": -20.0, "bandwidth_hz": 8000, "reverberation_seconds": 0.3,
    "snr_db": 31.0, "clipped_spans": [[0.5, 0.6]], "missing": ["No model."], "lufs": None,
    "estimates": {"dnsmos_overall": 3.1, "stoi": None, "missing": ["No model."]},
}  # fmt: skip
SOUND_FEATURES = {
    "content_hash": "0" * 64, "fingerprint": "", "peak_dbfs": -3.0, "rms_dbfs": -20.0, "noise_floor_dbfs": -60.0,
}  # fmt: skip
SPEAKER_RESULT = {"similarity": 0.9, "voiced_seconds": 3.2, "compared_with": 30}
STATEMENT = {
    "verdict": "review", "why": "", "match": 0.9, "findings": [FINDING],
    "words": [{"text": "Tilda", "state": "doubtful", "start": 0.5, "end": 0.8, "role": "talent", "score": 0.1}],
}  # fmt: skip
SPEAKER = {"verdict": "unsure", "score": 0.71, "threshold": 0.75, "error_rate": 0.05, "compared_with": 3, "text": "Hm."}
COMPARISON = {"compared_at": "2026-01-02T03:04:05+00:00", "recordings": 3, "text": "Fine.", "days": [FINDING]}
COMPARISON |= {"judged_together": 3, "matched": "0" * 64}
RECIPE = {
    "steps": [
        {"step": "decode", "container": "FLAC", "subtype": "PCM_24"},
        {"step": "mix", "channels": [0, 1], "of": 2},
        {"step": "resample", "from": 44100, "to": 48000},
        {"step": "gain", "factor": 0.5},
        {"step": "round", "bits": 16, "dither": None},
        {"step": "cut", "start_frame": 100, "end_frame": 2000},
    ]
}
SOUND: dict[str, Any] = {"findings": [FINDING], "levels": LEVELS, "peaks": [-5, 5] * 4}


def make_damageable_studio(studio: Studio, admin: User | None = None) -> None:
    """Create rows whose JSON fields and files are all filled as the services fill them. `admin` opens the pages."""
    talent = studio.make_talent()
    studio.make_contract(talent, file_warnings=[FINDING])
    consent = studio.make_consent(talent)
    waiting = studio.make_consent(talent, ConsentStatus.SUBMITTED)
    for take in Take.objects.all():
        wav = private().save(make_take_path(take, ".made.wav"), ContentFile(make_clip()))
        made = {"wav": wav, "wav_sha256": hashlib.sha256(make_clip()).hexdigest(), "recipe": RECIPE}
        fields = SOUND | made | {"device": {"label": "Mic", "echoCancellation": True}}
        models.QuerySet(Take).filter(pk=take.pk).update(**fields, seconds=4.0, sample_rate=48000)
        checked = {"checked_at": timezone.now(), "findings": [FINDING], "fine_peaks": [-5, 5] * 4}
        TakeCheck.objects.create(take=take, measures=MEASURES, statement=STATEMENT, speaker=SPEAKER, **checked)
    assert {consent.status, waiting.status} == {ConsentStatus.APPROVED, ConsentStatus.SUBMITTED}
    _make_voice(studio, studio.make_voice("Narrator", talent))
    _make_proof(studio, consent)
    # A draft opens for its owner only.
    store_draft(talent, ContentFile(make_pdf(), "draft.pdf"), admin or studio.producer)


def _make_proof(studio: Studio, consent: Consent) -> None:
    day = timezone.localdate()
    proof = OfflineProof(consent=consent, account=studio.account, sent_on=day, recorded_by=studio.producer)
    proof.content_type, proof.sent_to, proof.size, proof.file_warnings = "application/pdf", "Support", 1, [FINDING]
    proof.file.save("proof.pdf", ContentFile(make_pdf()))


def _make_cuts(studio: Studio, voice: Voice) -> None:
    """A recording that is too long, with its proposed cuts and those of a person."""
    (recording,) = studio.make_recordings(voice, 1)
    too_long = FINDING | {"severity": "refused", "code": "too_long"}
    Recording.objects.filter(pk=recording.pk).update(status="refused", active=False, findings=[too_long])
    spans = [[0, 96000], [97000, 190000]]
    now = timezone.now()
    CutProposal.objects.create(
        recording=recording, requested_at=now, proposed_at=now, segments=spans, clips=spans, speech=[[0.0, 1.9]]
    )


def _make_voice(studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice)
    Recording.objects.update(**SOUND, recipe=RECIPE, measures=MEASURES, fine_peaks=[-5, 5] * 4, set_findings=[FINDING])
    Recording.objects.update(sound_features=SOUND_FEATURES, speaker_result=SPEAKER_RESULT)
    _make_cuts(studio, voice)
    converted = Recording.objects.earliest("pk")
    converted.wav.save("made.wav", ContentFile(make_clip()))
    Voice.objects.update(comparison=COMPARISON)
    ended = [studio.make_build(voice, status=status) for status in ("ready", "failed")]
    Build.objects.update(
        scores={"resemble_score": 0.9, "fluency": 0.4},
        options={"description": "Warm", "fill": True},
        samples=[{"title": "One", "text": "A sentence.", "url": "http://x.test/1.wav"}],
        raw_response={"status": "finished", "items": [{"a": 1}]},
        finished_at=timezone.now(),
    )
    proof = {
        "answer": {"success": True},
        "look": "The voice is gone.",
        "by_hand": "Paula",
        "at": "2026-01-02T03:04:05Z",
    }
    RemoteVoice.objects.update(raw_response={"a": [1]}, deletion_proof=proof)
    preview = Preview(remote_voice=ended[0].remote_voice, build=ended[0], text="A.", status="ready")
    preview.content_type = "audio/wav"
    preview.file.save("preview", ContentFile(make_clip()))
    _make_import(studio, voice)


def _make_import(studio: Studio, voice: Voice) -> None:
    """An import with a file that has arrived in part, and one with a converted clip and a table."""
    import_set = Import.objects.create(voice=voice, by=studio.producer)
    arriving = ImportFile.objects.create(import_set=import_set, name="later.zip", size=20, received=10)
    ImportPart(file=arriving, start=0, size=10).content.save("part", ContentFile(b"0123456789"))
    checked = ImportFile(import_set=import_set, name="clips.zip", size=10, received=10, status="checked")
    checked.findings = [FINDING]
    checked.file.save("file", ContentFile(b"0123456789"))
    clip = ImportClip(import_set=import_set, source=checked, name="a.flac", status="ready", seconds=4.0, recipe=RECIPE)
    clip.findings, clip.levels, clip.peaks, clip.fine_peaks = [FINDING], LEVELS, [-5, 5] * 4, [-5, 5] * 4
    clip.wav.save("wav", ContentFile(make_clip()), save=False)
    clip.file.save("file", ContentFile(b"fLaC"))
    table = ImportText(file=checked, name="metadata.csv", kind="table", samples=[["a", "A sentence."]], line_count=1)
    table.content.save("table", ContentFile(b"b|Another sentence."))
    ImportLine.objects.create(import_set=import_set, text_file=table, number=1, name="b", reason="unknown")


# --- Pages ------------------------------------------------------------------------------

ROW_MODELS = [model for app in ("consent", "voices") for model in apps.get_app_config(app).get_models()]


# The models whose id the URL with this name contains, found by trying; the same in each test.
_models_by_url: dict[str, list[type[models.Model]]] = {}


def list_candidate_urls(client: Client) -> Iterator[str]:
    """The URL of each GET page for two rows that it shows, and of each list and two rows in the Django admin."""
    patterns = dict(list_urls())
    for name in [name for name, (method, _roles) in ACCESS.items() if method == "get"]:
        if not patterns[name].pattern.converters:
            yield reverse(name)
            continue
        if name not in _models_by_url:
            _models_by_url[name] = [model for model in ROW_MODELS if _opens(client, name, model)]
        yield from (reverse(name, args=[pk]) for model in _models_by_url[name] for pk in _list_ids(model)[:2])
    for model in ROW_MODELS:
        yield from islice(list_admin_urls(model._meta.label_lower), 3)


def _list_ids(model: type[models.Model]) -> list[str]:
    return [pk for row in model._default_manager.all() if len(pk := str(row.pk)) == 36]


def _opens(client: Client, name: str, model: type[models.Model]) -> bool:
    return any(fetch(client, reverse(name, args=[pk])).status_code in (200, 302) for pk in _list_ids(model)[:2])


def fetch(client: Client, url: str, **headers: str) -> Any:
    """Request the page and read all of it."""
    response: Any = client.get(url, headers=headers)
    if response.streaming:
        b"".join(response.streaming_content)
    return response


def find_pages(client: Client) -> dict[str, set[str]]:
    """The URLs that show something in an undamaged studio, each with the tables that it reads."""
    pages = {}
    for url in list_candidate_urls(client):
        with CaptureQueriesContext(connection) as queries:
            response = fetch(client, url)
        if response.status_code in (200, 302):
            assert response.streaming or NOTE.encode() not in response.content, url
            text = " ".join(query["sql"] for query in queries)
            pages[url] = {model._meta.db_table for model in ROW_MODELS if f'"{model._meta.db_table}"' in text}
    assert len(pages) > 60
    return pages


def find_errors(client: Client, urls: Iterator[str] | list[str]) -> list[str]:
    return [url for url in urls if fetch(client, url).status_code >= 500]


# --- Damage -----------------------------------------------------------------------------

Damage = Callable[[Any], Any]
JUNK: tuple[Any, ...] = (None, -7, "x", [], {}, [[]], [{}], {"x": 7})
LEAF_JUNK: tuple[Any, ...] = (None, True, 1e300, "2026-99-99", [], {})


def list_damages() -> Mapping[str, Damage]:
    """Each way to damage a JSON value, by name: all of it, all its leaves, or one member of each object in it."""
    whole = {f"all {json.dumps(junk)}": partial(_replace, junk) for junk in JUNK}
    leaves = {f"leaves {json.dumps(junk)}": partial(_replace_leaves, junk) for junk in LEAF_JUNK}
    members = {f"without {number}": partial(_drop_member, number) for number in range(4)}
    return whole | leaves | members


def _replace(junk: Any, _value: Any) -> Any:
    return junk


def _replace_leaves(junk: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _replace_leaves(junk, member) for name, member in value.items()}
    return [_replace_leaves(junk, element) for element in value] if isinstance(value, list) else junk


def _drop_member(number: int, value: Any) -> Any:
    if isinstance(value, list):
        return [_drop_member(number, element) for element in value]
    if not isinstance(value, dict):
        return value
    return {name: _drop_member(number, member) for n, (name, member) in enumerate(value.items()) if n != number}


def list_json_fields(model: type[models.Model]) -> list[ShapedJSONField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, ShapedJSONField)]


def damage_rows(model: type[models.Model], damage: Damage) -> None:
    """Damage every JSON field of every row, past the rules of the models."""
    table, key = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        for field in list_json_fields(model):
            cursor.execute(f"SELECT {key}, {field.column} FROM {table}")  # noqa: S608 - fixed names
            for pk, text in cursor.fetchall():
                damaged = json.dumps(damage(json.loads(text) if isinstance(text, str) else text))
                query = f"UPDATE {table} SET {field.column} = %s WHERE {key} = %s"  # noqa: S608 - fixed names
                cursor.execute(query, [damaged, pk])


def list_stored_files() -> dict[str, list[Path]]:
    """The files of each file field."""
    return {
        f"{model._meta.label}.{field.name}": [
            Path(getattr(row, field.name).path) for row in model._default_manager.all() if getattr(row, field.name)
        ]
        for model in ROW_MODELS
        for field in model._meta.concrete_fields
        if isinstance(field, models.FileField)
    }


def get_consent() -> Consent:
    return Consent.objects.get(status=ConsentStatus.APPROVED)
