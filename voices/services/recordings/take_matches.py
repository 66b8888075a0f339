"""Compare the voice of a talent's takes with that of their recordings and earlier takes, and of no other person."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from audio.findings.thresholds import Thresholds
from audio.networks import speaker_match
from consent.models import Take, TakeCheck, Talent
from consent.services.take_checks import save_speaker_match
from consent.services.voice_comparison import is_comparison_allowed
from voicehub import outbox
from voicehub.outbox import Lease
from voicehub.threshold_overrides import load_thresholds
from voices.models import Recording, RecordingStatus, Voice
from voices.services.recordings.speaker_findings import OTHER_SPEAKER
from voices.services.recordings.voiceprints import VoiceprintReader

MATCH_TASK = "match_takes"
MAX_RECORDINGS = 20
MAX_EARLIER_TAKES = 5


@dataclass(frozen=True, slots=True)
class Basis:
    """What a take is compared with. `key` changes when its comparison could have another result."""

    recordings: Sequence[Recording]
    earlier_takes: Sequence[Take]
    key: str


def enqueue_take_matches(talent: Talent) -> None:
    if is_comparison_allowed(talent.pk):
        outbox.enqueue_task(MATCH_TASK, talent.pk)


def match_takes(talent_id: str, lease: Lease) -> None:
    """Compare the newest take of each of the talent's consents."""
    pk = UUID(talent_id)
    match_takes_of(pk, VoiceprintReader(pk, lease), load_thresholds())


def match_takes_of(talent_id: UUID, prints: VoiceprintReader, thresholds: Thresholds) -> None:
    """Compare each take again whose recordings, earlier takes or limits have changed since its last comparison."""
    if not is_comparison_allowed(talent_id):
        return
    checks = list(
        TakeCheck.objects.filter(take__consent__talent=talent_id, take__acceptable=True, checked_at__isnull=False)
        .select_related("take")
        .order_by("take__created_at", "take_id")
    )
    recordings = _list_longest_recordings(talent_id)
    for check in {check.take.consent_id: check for check in checks}.values():
        basis = _make_basis(check, checks, recordings, thresholds)
        if check.speaker.get("basis") != basis.key:
            _match_take(check.take, basis, prints, thresholds)


def _match_take(take: Take, basis: Basis, prints: VoiceprintReader, thresholds: Thresholds) -> None:
    match = speaker_match.match_speaker(
        prints.read(take.sound),
        [prints.read(row.sound) for row in basis.recordings],
        thresholds,
        earlier_takes=[prints.read(earlier.sound) for earlier in basis.earlier_takes],
    )
    save_speaker_match(take, match.as_dict() | {"basis": basis.key})


def _list_longest_recordings(talent_id: UUID) -> list[Recording]:
    """The longest recordings of the talent's voices without a finding of another speaker. Each voice has an index."""
    rows: list[Recording] = []
    for voice in Voice.objects.filter(talent=talent_id).order_by("pk"):
        analyzed = voice.recordings.filter(status=RecordingStatus.ACCEPTED, analyzed_at__isnull=False)
        own = analyzed.exclude(warning_codes__contains=OTHER_SPEAKER).only("voice", "file", "wav", "seconds")
        rows += own.order_by("-seconds", "-pk")[:MAX_RECORDINGS]
    return sorted(rows, key=lambda row: row.seconds, reverse=True)[:MAX_RECORDINGS]


def _make_basis(
    check: TakeCheck, checks: Sequence[TakeCheck], recordings: Sequence[Recording], thresholds: Thresholds
) -> Basis:
    """The recordings, and the newest takes before this one. A take for several purposes counts once."""
    earlier = [
        one.take
        for one in checks[: checks.index(check)]
        if one.speaker.get("verdict") != "different" and one.take.sound_sha256 != check.take.sound_sha256
    ]
    different = list({take.sound_sha256: take for take in earlier}.values())[-MAX_EARLIER_TAKES:]
    limits = (thresholds.speaker_same, thresholds.speaker_different, speaker_match.describe_missing_model())
    values = [check.take_id, *(row.pk for row in recordings), *(take.pk for take in different), *limits]
    return Basis(recordings, different, sha256(" ".join(map(str, values)).encode()).hexdigest())
