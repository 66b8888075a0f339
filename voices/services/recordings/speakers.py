"""Find recordings of another speaker, without listening to a whole voice again for each change.

A recording keeps only the result: how similar its speaker is to the person who read most of the voice. The mean of that
person's voiceprints, the center, is made in memory from a few recordings that are certainly theirs, each time that
new recordings must be judged. So new recordings cost SAMPLE_SIZE more, however many there are already.

A full judgement listens to all recordings once, in batches. The first batch is spread over the whole voice and gives
the center, so with up to BATCH_SIZE recordings it compares each with all others. It is made for a voice that
- has no results yet, or has at most SAMPLE_SIZE recordings, and one of them is new;
- has doubled since its last full judgement: the first recordings may have been another person's;
- has so many results of another speaker that the center is in doubt, and has grown or shrunk by a quarter since.
Each of these needs a share of new or deleted recordings. So all full judgements together listen to about three times
as many recordings as were ever added.
"""

import math
from collections.abc import Sequence

from django.db import transaction

from audio.findings.thresholds import Thresholds
from audio.networks import speaker_match
from audio.networks.speaker_match import CORE_SHARE, SpeakerResult
from consent.services.voice_comparison import is_comparison_allowed, lock_permission
from voices.models import Recording, Voice
from voices.services.recordings.voiceprints import VoiceprintReader

SAMPLE_SIZE = 30
"""New recordings are compared with the mean of so many others, which differs little from the mean of all."""
BATCH_SIZE = 200
"""Recordings judged in one run of the task, which takes about 15 seconds. Then other tasks get their turn."""
GROWTH_FACTOR = 2
DOUBT_CHANGE = 0.25


def judge_speakers(
    voice: Voice, recordings: Sequence[Recording], prints: VoiceprintReader, thresholds: Thresholds
) -> bool:
    """Judge the next batch of the recordings that have no result yet. Returns whether all have a result now.

    Nothing is judged, and nothing is left to do, if the talent does not allow the voice comparison.
    `recordings` are all that are not silent, oldest first. They get their results too.
    """
    if speaker_match.describe_missing_model() or not is_comparison_allowed(voice.talent_id):
        return True
    reference: Sequence[Recording] = ()
    if _needs_full_judgement(voice, recordings, thresholds):
        _forget_results(voice, recordings)
        reference = _spread(recordings, BATCH_SIZE)
    waiting = [row for row in recordings if not row.speaker_result]
    if not waiting:
        return True
    batch = reference or waiting[:BATCH_SIZE]
    _judge_batch(voice, batch, reference or _select_reference(recordings, thresholds) or batch, prints)
    return len(batch) == len(waiting)


def _judge_batch(
    voice: Voice, batch: Sequence[Recording], reference: Sequence[Recording], prints: VoiceprintReader
) -> None:
    center = speaker_match.compute_centroid([prints.read(row.sound) for row in reference])
    for row in batch:
        result = speaker_match.judge_speaker(prints.read(row.sound), center)
        row.speaker_result = {
            "similarity": result.similarity,
            "voiced_seconds": result.voiced_seconds,
            "compared_with": len(reference),
        }
    with lock_permission(voice.talent_id) as is_allowed:
        if is_allowed:
            Recording.objects.bulk_update(batch, ["speaker_result"])


def read_speaker_result(recording: Recording) -> SpeakerResult:
    stored = recording.speaker_result
    return SpeakerResult(stored.get("similarity"), stored.get("voiced_seconds", 0.0))


def _needs_full_judgement(voice: Voice, recordings: Sequence[Recording], thresholds: Thresholds) -> bool:
    count, judged_count = len(recordings), voice.comparison.get("judged_together")
    has_new = any(not row.speaker_result for row in recordings)
    if judged_count is None or (count <= SAMPLE_SIZE and has_new) or count >= GROWTH_FACTOR * judged_count:
        return has_new
    is_doubtful = _is_center_doubtful([read_speaker_result(row) for row in recordings], thresholds)
    return is_doubtful and abs(count - judged_count) >= DOUBT_CHANGE * judged_count


def _is_center_doubtful(results: Sequence[SpeakerResult], thresholds: Thresholds) -> bool:
    """Whether the person of the center has read fewer of the recordings than a center is made of."""
    known_count = sum(result.similarity is not None for result in results)
    return sum(speaker_match.flag_outliers(results, thresholds)) > (1 - CORE_SHARE) * known_count


def _forget_results(voice: Voice, recordings: Sequence[Recording]) -> None:
    voice.comparison = {**voice.comparison, "judged_together": len(recordings)}
    with transaction.atomic():
        Recording.objects.filter(voice=voice).exclude(speaker_result={}).update(speaker_result={})
        Voice.objects.filter(pk=voice.pk).update(comparison=voice.comparison)
    for row in recordings:
        row.speaker_result = {}


def _select_reference(recordings: Sequence[Recording], thresholds: Thresholds) -> Sequence[Recording]:
    """Recordings that certainly have the voice of most: the most similar three fifths, spread over all days."""
    results = {row: read_speaker_result(row) for row in recordings}
    own = [
        row for row, result in results.items() if result.similarity is not None and not result.is_outlier(thresholds)
    ]
    own.sort(key=lambda row: -(results[row].similarity or 0))
    core = set(own[: math.ceil(CORE_SHARE * len(own))])
    return _spread([row for row in recordings if row in core], SAMPLE_SIZE)


def _spread(rows: Sequence[Recording], count: int) -> list[Recording]:
    """At most `count` of the recordings, at equal distances."""
    count = min(count, len(rows))
    return [rows[number * len(rows) // count] for number in range(count)]
