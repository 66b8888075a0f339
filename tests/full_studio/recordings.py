"""The voices of the full studio and their recordings. Few sounds are analyzed; all recordings have one of these."""

import hashlib
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from audio.findings.findings import make_finding
from consent.models import Purpose, Talent
from tests.full_studio.clock import act_ago
from tests.full_studio.people import SENTENCES
from tests.support.clips import build_clean_clips
from tests.support.task_runner import run_due_tasks
from tests.support.wav import make_speech_like, make_wav_bytes
from tests.voices.rows import make_upload
from voicehub.models import User
from voices.models import DatasetDownload, DatasetLayout, Recording, RecordingStatus, Voice
from voices.services.recordings.days import summarize_sound
from voices.services.recordings.figures import update_figures
from voices.services.recordings.inclusion import update_inclusion
from voices.services.recordings.store import add_recording, create_voice

COPIED = (
    *("file", "size", "status", "seconds", "sample_rate", "findings", "levels", "peaks", "measures", "fine_peaks"),
    *("sound_features", "wav"),
)
MOST_SOUNDS = 30
# The voices in sample/ are synthetic, and rated lower than people at a microphone.
BETTER_BY = 0.9


def make_sounds(talent: Talent, by: User) -> list[Recording]:
    """Real speech and faults, analyzed by the product. All other recordings are copies of these."""
    voice = create_voice(talent, "Sounds", "en-US", Purpose.NARRATION, by)
    for number, (name, data) in enumerate(_list_sounds()):
        add_recording(voice, make_upload(f"{name}.wav", data), by, transcript=SENTENCES[number % len(SENTENCES)])
    run_due_tasks("examine_recordings")
    return list(voice.recordings.order_by("created_at"))


def _list_sounds() -> Iterator[tuple[str, bytes]]:
    clean = build_clean_clips()
    for name, clip in list(clean.items())[:MOST_SOUNDS]:
        yield name, make_wav_bytes(clip)
    speech = clean["slt-01"]
    noise = np.random.default_rng(5).normal(size=len(speech))
    yield "noisy", make_wav_bytes(speech + 0.02 * noise)
    yield "clipped", make_wav_bytes(np.clip(speech * 14, -1, 1))
    yield "quiet", make_wav_bytes(clean["rms-02"] * 0.03)
    yield "silent", make_wav_bytes(np.zeros(48000))
    yield "long pause", make_wav_bytes(np.concatenate((speech, np.zeros(40000), speech)))
    yield "too long", make_wav_bytes(make_speech_like(64.0))


def make_voice(talent: Talent, name: str, count: int, sounds: list[Recording], by: User) -> Voice:
    """A voice with so many recordings, added on several days."""
    voice = create_voice(talent, name, "ja-JP" if talent.language == "ja" else "en-US", Purpose.NARRATION, by)
    rng = random.Random(name)  # noqa: S311 - the same in each run
    rows = [_make_recording(voice, number, sounds, rng, by) for number in range(1, count + 1)]
    Recording.objects.bulk_create(rows)
    first, days = rng.randint(20, 90), max(1, min(6, count // 12))
    for number, row in enumerate(rows):
        day = first - 3 * (number * days // max(count, 1))
        row.created_at = timezone.now() - timedelta(days=day, minutes=count - number)
    Recording.objects.bulk_update(rows, ["created_at"], batch_size=200)
    Voice.objects.filter(pk=voice.pk).update(created_at=timezone.now() - timedelta(days=first + 2))
    update_figures(voice.recordings.all())
    update_inclusion(voice.recordings.all())
    _store_comparison(voice, count)
    _make_downloads(voice, count, by)
    return voice


def _make_recording(voice: Voice, number: int, sounds: list[Recording], rng: random.Random, by: User) -> Recording:
    faulty = [one for one in sounds if one.findings]
    clean = [one for one in sounds if not one.findings] or sounds
    sound = rng.choice(faulty) if faulty and rng.random() < 0.08 else rng.choice(clean)
    name = f"{voice.name.split(',')[0].lower()}-{number:03}.wav"
    if number % 40 == 7:
        name = f"{voice.name} – session of the second week, paragraph {number:03}, take 2 (final, normalized).wav"
    row = Recording(
        voice=voice,
        file_name=name[-200:],
        sha256=hashlib.sha256(f"{voice.pk}{number}".encode()).hexdigest(),
        uploaded_by=by,
        transcript="" if number % 37 == 11 else rng.choice(SENTENCES),
        analyzed_at=timezone.now(),
        checked_at=timezone.now(),
        **{field: getattr(sound, field) for field in COPIED},
    )
    row.active = row.status == RecordingStatus.ACCEPTED
    row.measures = _vary(row.measures, rng)
    row.set_findings = list(_list_set_findings(number, name, rng))
    return row


def _vary(measures: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Other recordings of the same voice have other figures."""
    varied = dict(measures)
    for name, spread in (("lufs", 2.0), ("snr_db", 4.0)):
        if isinstance(varied.get(name), int | float):
            varied[name] = round(varied[name] + rng.uniform(-spread, spread), 2)
    estimates = dict(varied.get("estimates") or {})
    if isinstance(estimates.get("dnsmos_overall"), int | float):
        estimates["dnsmos_overall"] = round(
            min(4.6, max(1.1, estimates["dnsmos_overall"] + rng.gauss(BETTER_BY, 0.35))), 2
        )
        varied["estimates"] = estimates
    return varied


def _list_set_findings(number: int, name: str, rng: random.Random) -> Iterator[dict[str, Any]]:
    other = name.replace(f"{number:03}", f"{max(1, number - 1):03}")
    if number % 53 == 9:
        yield make_finding("same_sound", others=other).as_dict()
    if number % 47 == 21:
        yield make_finding("other_speaker", score=0.31, limit=0.55).as_dict()
    if number % 29 == 13:
        yield make_finding("same_transcript", others=other).as_dict()
    if number % 31 == 17:
        yield make_finding("unlike_level", by=rng.randint(5, 9), direction="quieter").as_dict()


def _store_comparison(voice: Voice, count: int) -> None:
    days = (
        [make_finding("day_unlike_level", day="November 4", by=6, direction="quieter").as_dict()] if count > 80 else []
    )
    stored = Voice.objects.get(pk=voice.pk)
    stored.comparison = {
        "compared_at": timezone.now().isoformat(),
        "recordings": count,
        "days": days,
        "sound": summarize_sound(voice),
    }
    stored.save(update_fields=["comparison"])


def _make_downloads(voice: Voice, count: int, by: User) -> None:
    layouts = list(DatasetLayout) if count > 100 else []
    for place, layout in enumerate(layouts):
        broken = {"failure": "The connection ended before the archive was complete."} if place == 1 else {}
        with act_ago(days=1 + 9 * place):
            DatasetDownload.objects.create(
                voice=voice, by=by, layout=layout, recording_count=count, size=count * 182_000,
                finished_at=timezone.now(), only_in_builds=bool(place % 2), **broken,
            )  # fmt: skip
