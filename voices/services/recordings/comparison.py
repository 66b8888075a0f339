"""Compare the recordings of a voice with each other. If the talent allows it, their speakers are compared too.

Each recording keeps what the comparison needs of its sound, so a change of a transcript or a deletion opens no file.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from audio.analysis import compare
from audio.analysis.compare import SetClip, SetReport
from audio.analysis.sound_features import SoundFeatures, extract_features
from audio.networks.speaker_match import SpeakerResult
from audio.wav.riff import WavRefused, read_header
from consent.models import Talent
from consent.services.voice_comparison import NOT_ALLOWED, is_comparison_allowed, lock_permission
from voicehub import outbox
from voicehub.outbox import Lease
from voicehub.storage import open_file
from voicehub.threshold_overrides import load_thresholds
from voices.models import Recording, RecordingStatus, Voice, WorkKind
from voices.services.recordings.days import summarize_sound
from voices.services.recordings.figures import update_figures
from voices.services.recordings.inclusion import update_inclusion
from voices.services.recordings.speaker_findings import remove_speaker_findings
from voices.services.recordings.speakers import judge_speakers, read_speaker_result
from voices.services.recordings.store import COMPARE_TASK
from voices.services.recordings.take_matches import match_takes_of
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
SPEAKERS_NOT_COMPARED = f"The speakers were not compared. {NOT_ALLOWED}"


def enqueue_comparisons(talent: Talent) -> None:
    """Enqueue comparing the recordings of each of the talent's voices with each other."""
    for voice in talent.voices.all():
        outbox.enqueue_task(COMPARE_TASK, voice.pk)


def compare_recordings(voice_id: str, lease: Lease) -> timedelta | None:
    """Compare the analyzed recordings of a voice with each other, and then the talent's takes with them.

    Files are opened only for new recordings, for a few others whose speaker they are compared with, and for takes.
    Returns a delay if recordings are left whose speaker must be judged, or if the talent's answer has just changed.
    """
    started = time.monotonic()
    voice = Voice.objects.select_related("talent").get(pk=voice_id)
    analyzed = voice.recordings.filter(status=RecordingStatus.ACCEPTED, analyzed_at__isnull=False)
    rows = list(analyzed.only(*COMPARE_FIELDS).order_by("created_at", "pk"))
    thresholds, prints = load_thresholds(), VoiceprintReader(voice.talent_id, lease)
    is_allowed = is_comparison_allowed(voice.talent_id)
    sounds = _load_features(rows, lease)
    audible = [row for row in rows if (sound := sounds[row]) and not sound.is_silent(thresholds)]
    if is_allowed and not judge_speakers(voice, audible, prints, thresholds):
        return timedelta()
    clips = [_make_set_clip(row, sounds[row], is_allowed=is_allowed) for row in rows]
    report = compare.compare_recordings(clips, thresholds)
    with lock_permission(voice.talent_id) as is_still_allowed:
        if is_still_allowed != is_allowed:
            return timedelta()
        if not is_allowed and voice.comparison.get("missing") != SPEAKERS_NOT_COMPARED:
            remove_speaker_findings(voice)  # of an earlier version, which did not ask
        _store_set_results(voice, rows, report, is_allowed=is_allowed)
    match_takes_of(voice.talent_id, prints, thresholds)
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


def _make_set_clip(row: Recording, sound: SoundFeatures | None, *, is_allowed: bool) -> SetClip:
    day = timezone.localdate(row.created_at)
    speaker = read_speaker_result(row) if is_allowed else SpeakerResult()
    return SetClip(str(row.pk), row.file_name, sound, day, row.transcript, row.measures, speaker)


def _store_set_results(voice: Voice, rows: Sequence[Recording], report: SetReport, *, is_allowed: bool) -> None:
    """Store the findings of the comparison in the recordings for which they changed, and its summary in the voice."""
    changed = []
    with transaction.atomic():
        for row in rows:
            set_findings = [finding.as_dict() for finding in report.clips.get(str(row.pk), ())]
            if set_findings != row.set_findings:
                Recording.objects.filter(pk=row.pk).update(set_findings=set_findings, checked_at=timezone.now())
                changed.append(row.pk)
        update_figures(Recording.objects.filter(pk__in=changed))
        summary = {**_summarize_comparison(report), "sound": summarize_sound(voice)}
        if is_allowed:
            voice.comparison = {**voice.comparison, **summary}
        else:
            voice.comparison = {**summary, "missing": SPEAKERS_NOT_COMPARED}
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
