"""Compare the recordings of a voice with each other, and their speaker with that of the talent's takes.

Each recording keeps what the comparison needs of its sound, so a change of a transcript or a deletion opens no file.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import timezone

from audio.analysis import compare
from audio.analysis.compare import SetClip, SetReport
from audio.analysis.sound_features import SoundFeatures, extract_features
from audio.findings.thresholds import Thresholds
from audio.networks import speaker_match
from audio.wav.riff import WavRefused, read_header
from consent.models import TakeCheck, Talent
from consent.services.take_checks import save_speaker_match
from voicehub import outbox
from voicehub.outbox import Lease
from voicehub.storage import open_file
from voicehub.threshold_overrides import load_thresholds
from voices.models import Recording, RecordingStatus, Voice, WorkKind
from voices.services.recordings.days import summarize_sound
from voices.services.recordings.figures import update_figures
from voices.services.recordings.inclusion import update_inclusion
from voices.services.recordings.speakers import judge_speakers, read_speaker_result
from voices.services.recordings.store import COMPARE_TASK
from voices.services.recordings.voiceprints import VoiceprintReader
from voices.services.work_samples import record_work

# Load only the fields that the comparison needs: there may be thousands of rows.
COMPARE_FIELDS = (
    "voice",
    "file",
    "wav",
    "file_name",
    "transcript",
    "seconds",
    "created_at",
    "measures",
    "set_findings",
    "sound_features",
    "speaker_result",
)
# Features are saved after so many recordings, so that a worker that stops loses little work.
FEATURES_BATCH_SIZE = 50
OTHER_SPEAKER = "other_speaker"
MAX_MATCH_RECORDINGS = 20


def enqueue_comparisons(talent: Talent) -> None:
    """Enqueue comparing the recordings of all the talent's voices with each other and with the talent's takes."""
    for voice in talent.voices.all():
        outbox.enqueue_task(COMPARE_TASK, voice.pk)


def has_comparable_recordings(talent: Talent) -> bool:
    return Recording.objects.filter(voice__talent=talent, status=RecordingStatus.ACCEPTED).exists()


def compare_recordings(voice_id: str, lease: Lease) -> timedelta | None:
    """Compare the analyzed recordings of a voice with each other and with the talent's newest takes.

    Files are opened only for new recordings, for a few others whose speaker they are compared with, and for takes.
    Returns a delay if recordings are left whose speaker must be judged.
    """
    started = time.monotonic()
    voice = Voice.objects.select_related("talent").get(pk=voice_id)
    analyzed = voice.recordings.filter(status=RecordingStatus.ACCEPTED, analyzed_at__isnull=False)
    rows = list(analyzed.only(*COMPARE_FIELDS).order_by("created_at", "pk"))
    thresholds, prints = load_thresholds(), VoiceprintReader(lease)
    sounds = _load_features(rows, lease)
    audible = [row for row in rows if (sound := sounds[row]) and not sound.is_silent(thresholds)]
    if not judge_speakers(voice, audible, prints, thresholds):
        return timedelta()
    report = compare.compare_recordings([_make_set_clip(row, sounds[row]) for row in rows], thresholds)
    _store_set_results(voice, rows, report)
    own = [row for row in rows if OTHER_SPEAKER not in {one.code for one in report.clips.get(str(row.pk), ())}]
    _match_takes(voice, own, prints, thresholds)
    record_work(WorkKind.COMPARISON, "", time.monotonic() - started, len(rows))
    return None


def _load_features(rows: Sequence[Recording], lease: Lease) -> dict[Recording, SoundFeatures | None]:
    """The kept features of each recording. Recordings analyzed by an earlier version get theirs now."""
    missing = [row for row in rows if not row.sound_features]
    for start in range(0, len(missing), FEATURES_BATCH_SIZE):
        batch = missing[start : start + FEATURES_BATCH_SIZE]
        for row in batch:
            lease.extend()
            row.sound_features = _extract_features(row)
        Recording.objects.bulk_update(batch, ["sound_features"])
    return {row: SoundFeatures.from_dict(row.sound_features) for row in rows}


def _extract_features(row: Recording) -> dict[str, Any]:
    """Empty if the file is missing or unreadable. It is tried again in the next comparison."""
    try:
        with open_file(row.sound) as file:
            return extract_features(file, read_header(file)).as_dict()
    except (FileNotFoundError, WavRefused):
        return {}


def _make_set_clip(row: Recording, sound: SoundFeatures | None) -> SetClip:
    day = timezone.localdate(row.created_at)
    speaker = read_speaker_result(row)
    return SetClip(str(row.pk), row.file_name, sound, day, row.transcript, row.measures, speaker)


def _store_set_results(voice: Voice, rows: Sequence[Recording], report: SetReport) -> None:
    """Store the findings of the comparison in the recordings for which they changed, and its summary in the voice."""
    changed = []
    with transaction.atomic():
        for row in rows:
            set_findings = [finding.as_dict() for finding in report.clips.get(str(row.pk), ())]
            if set_findings != row.set_findings:
                Recording.objects.filter(pk=row.pk).update(set_findings=set_findings, checked_at=timezone.now())
                changed.append(row.pk)
        update_figures(Recording.objects.filter(pk__in=changed))
        sound = {"sound": summarize_sound(voice)}
        voice.comparison = {**voice.comparison, **_summarize_comparison(report), **sound}
        Voice.objects.filter(pk=voice.pk).update(comparison=voice.comparison)
        update_inclusion(voice.recordings.all())


def _summarize_comparison(report: SetReport) -> dict[str, Any]:
    """The comparison result as the voice's page shows it."""
    days = [finding.as_dict() for findings in report.days.values() for finding in findings]
    outliers = sum(bool(clip_findings) for clip_findings in report.clips.values())
    unread = len(report.summary["unread"])
    if outliers:
        text = f"{outliers} of {report.summary['clips']} stand out. Each shows the reason."
    else:
        text = f"nothing stands out among {report.summary['clips']}."
    if unread:
        text += f" {unread} of them could not be read."
    return {
        "compared_at": timezone.now().isoformat(),
        "recordings": report.summary["clips"],
        "text": text,
        "days": days,
        "missing": report.summary["voices_missing"],
    }


def _match_takes(
    voice: Voice, recordings: Sequence[Recording], prints: VoiceprintReader, thresholds: Thresholds
) -> None:
    """Compare the newest take of each of the talent's consents with the longest recordings, if one of them is new."""
    checks = TakeCheck.objects.filter(take__consent__talent=voice.talent, checked_at__isnull=False)
    newest = {check.take.consent_id: check for check in checks.select_related("take").order_by("created_at")}
    longest = sorted(recordings, key=lambda row: row.seconds, reverse=True)[:MAX_MATCH_RECORDINGS]
    limits = (thresholds.speaker_same, thresholds.speaker_different, speaker_match.describe_missing_model())
    compared = _hash_values([*(check.take_id for check in newest.values()), *(row.pk for row in longest), *limits])
    if not newest or voice.comparison.get("matched") == compared:
        return
    voiceprints = [prints.read(row.sound) for row in longest]
    for check in newest.values():
        match = speaker_match.match_speaker(prints.read(check.take.sound), voiceprints, thresholds)
        save_speaker_match(check.take, match.as_dict())
    voice.comparison = {**voice.comparison, "matched": compared}
    Voice.objects.filter(pk=voice.pk).update(comparison=voice.comparison)


def _hash_values(values: Sequence[object]) -> str:
    return sha256(" ".join(map(str, values)).encode()).hexdigest()
