"""A long recording is usable: what becomes of it when it is cut, when that fails, and how it is analyzed."""

import io
import zipfile
from pathlib import Path, PurePath
from typing import Any

import pytest

from audio.datasets.layouts import Layout
from audio.datasets.segment import DEFAULT_LENGTHS
from audio.levels.inspection import DurationLimits
from tests.support.long_recordings import make_long_wav
from tests.support.task_runner import run_due_tasks
from tests.voices.rows import Studio, make_upload
from voicehub.models import Task, TaskStatus
from voicehub.outbox import LeaseLost
from voices.models import InclusionSource, Recording, RecordingStatus, Voice
from voices.models.recording_lengths import LONGEST_PROPOSED_CLIP
from voices.services.recordings import analysis, whole_clip
from voices.services.recordings.bulk.inclusion import leave_out_recordings, undo_decisions
from voices.services.recordings.dataset_download import prepare_download
from voices.services.recordings.inclusion import update_inclusion
from voices.services.recordings.segment import enqueue_split, handle_split_failure
from voices.services.recordings.store import add_recording, set_active

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def voice(studio: Studio) -> Voice:
    studio.are_recordings_checked = False
    return studio.make_voice()


@pytest.fixture
def recording(studio: Studio, voice: Voice) -> Recording:
    row, _new = add_recording(voice, make_upload("interview.wav", make_long_wav(3)), studio.producer)
    return row


def split(recording: Recording, studio: Studio) -> None:
    enqueue_split(recording, studio.producer)
    run_due_tasks("cut_recording")
    recording.refresh_from_db()


def get_inclusion(recording: Recording) -> tuple[str, bool, str]:
    recording.refresh_from_db()
    return recording.status, recording.active, recording.active_by


def test_shortest_recording_to_cut_is_longer_than_a_proposed_clip() -> None:
    assert DEFAULT_LENGTHS.max_seconds == LONGEST_PROPOSED_CLIP


def test_long_recording_is_usable_with_a_finding_that_is_no_error(recording: Recording) -> None:
    assert get_inclusion(recording) == (RecordingStatus.ACCEPTED, True, InclusionSource.UNDECIDED)
    (finding,) = [one for one in recording.findings if one["code"] == "long"]
    assert (finding["severity"], finding["text"]) == (
        "look",
        "It lasts 1 min 29 s. Some providers take at most 60 seconds in one recording.",
    )
    assert Task.objects.filter(kind="examine_recordings", status=TaskStatus.WAITING).exists()


def test_length_does_not_lower_the_quality_by_which_builds_choose(recording: Recording) -> None:
    before = recording.selection_quality
    recording.findings = [one for one in recording.findings if one["code"] != "long"]
    from voices.services.recordings.figures import set_figures

    set_figures(recording)
    assert recording.selection_quality == before


def test_analysis_keeps_the_finding_and_judges_the_whole_sound(recording: Recording) -> None:
    run_due_tasks("examine_recordings")
    recording.refresh_from_db()
    assert recording.analyzed_at and "long" in str(recording.warning_codes).split()
    assert recording.measures["speech_spans"][-1][1] > 80
    assert recording.measures["estimates"].get("dnsmos_overall")


def test_cut_recording_is_left_out_and_its_clips_are_in_builds(studio: Studio, recording: Recording) -> None:
    split(recording, studio)
    assert get_inclusion(recording) == (RecordingStatus.SPLIT, False, InclusionSource.UNDECIDED)
    pieces = recording.pieces.all()
    assert pieces and all(piece.is_usable and piece.active and piece.seconds <= 20 for piece in pieces)
    assert not recording.can_be_cut
    assert Task.objects.filter(kind="compare_recordings", object_id=str(recording.voice_id)).exists()


def test_excluded_recording_can_be_cut_too(studio: Studio, recording: Recording) -> None:
    set_active(recording, False)
    split(recording, studio)
    assert get_inclusion(recording) == (RecordingStatus.SPLIT, False, InclusionSource.UNDECIDED)
    assert all(piece.active for piece in recording.pieces.all())


@pytest.mark.parametrize("active", [True, False])
def test_failed_split_without_clips_leaves_the_recording_as_it_was(
    studio: Studio, recording: Recording, active: bool
) -> None:
    set_active(recording, active)
    enqueue_split(recording, studio.producer)
    handle_split_failure(str(recording.pk))
    assert get_inclusion(recording) == (RecordingStatus.ACCEPTED, active, InclusionSource.PERSON)


def test_failed_split_with_clips_leaves_the_recording_out_for_good(studio: Studio, recording: Recording) -> None:
    """Otherwise the sound of the stored clips would be in the next build twice."""
    split(recording, studio)
    Recording.objects.filter(pk=recording.pk).update(status=RecordingStatus.SPLITTING, active=True)
    handle_split_failure(str(recording.pk))
    expected = (RecordingStatus.ACCEPTED, False, InclusionSource.PERSON)
    assert get_inclusion(recording) == expected
    update_inclusion(recording.voice.recordings.all())
    assert get_inclusion(recording) == expected


def test_undo_includes_no_recording_whose_clips_are_in_the_voice(studio: Studio, recording: Recording) -> None:
    change = leave_out_recordings(recording.voice, [recording.pk], studio.producer).change
    assert change
    split(recording, studio)
    Recording.objects.filter(pk=recording.pk).update(status=RecordingStatus.SPLITTING)
    handle_split_failure(str(recording.pk))
    assert undo_decisions(change) == 0
    assert get_inclusion(recording) == (RecordingStatus.ACCEPTED, False, InclusionSource.PERSON)


def test_dataset_has_the_whole_recording_and_after_the_cut_its_clips(studio: Studio, recording: Recording) -> None:
    def read_names() -> set[str]:
        download = prepare_download(recording.voice, studio.producer, Layout.LJSPEECH, only_in_builds=True)
        names = zipfile.ZipFile(io.BytesIO(b"".join(download.chunks))).namelist()
        return {PurePath(name).stem for name in names if name.endswith(".wav")}

    assert read_names() == {"interview"}
    split(recording, studio)
    names = read_names()
    assert "interview" not in names and len(names) == recording.pieces.count() > 5


def test_recording_above_the_upper_limit_is_refused_but_can_be_cut(
    studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voices.services.recordings.store.RECORDING_LIMITS", DurationLimits(1.0, 70.0, 60.0))
    row, _new = add_recording(voice, make_upload("interview.wav", make_long_wav(3)), studio.producer)
    assert (row.status, row.is_too_long, row.can_be_cut) == (RecordingStatus.REFUSED, True, True)
    assert "long" not in [one["code"] for one in row.findings]
    enqueue_split(row, studio.producer)
    handle_split_failure(str(row.pk))
    assert get_inclusion(row)[0] == RecordingStatus.REFUSED
    split(row, studio)
    assert get_inclusion(row)[:2] == (RecordingStatus.SPLIT, False) and row.pieces.count() > 5


def test_run_takes_no_other_recording_after_so_many_seconds(
    studio: Studio, voice: Voice, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.make_recordings(voice, 2)
    monkeypatch.setattr(analysis, "BATCH_SECONDS", 1.0)
    batches: list[int] = []
    monkeypatch.setattr(analysis, "measure_work", lambda _kind, _key, count: _Counted(batches, count))
    run_due_tasks("examine_recordings")
    assert batches == [1, 1, 1] and not voice.recordings.filter(analyzed_at=None).exists()


class _Counted:
    def __init__(self, batches: list[int], count: int) -> None:
        batches.append(count)

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_analysis_renews_its_lease_while_it_reads_and_stops_without(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_clip, "RENEWAL_SECONDS", 0.0)
    renewals: list[int] = []

    class _Lease:
        def extend(self) -> None:
            renewals.append(1)
            if len(renewals) > 2:
                raise LeaseLost("lost")

    with pytest.raises(LeaseLost):
        analysis.analyze_recordings(str(recording.voice_id), _Lease())  # type: ignore[arg-type]  # only extends
    recording.refresh_from_db()
    assert recording.analyzed_at is None and len(renewals) == 3


def test_file_is_read_from_disk_in_blocks(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory that an analysis needs does not grow with the file."""
    sizes: list[int] = []
    read = whole_clip._HeartbeatFile.readinto

    def measure(self: Any, buffer: Any) -> int:
        sizes.append(len(buffer))
        return read(self, buffer)

    monkeypatch.setattr(whole_clip._HeartbeatFile, "readinto", measure)
    run_due_tasks("examine_recordings")
    assert sizes and max(sizes) <= 1 << 20
    assert Path(recording.file.path).stat().st_size > 2 * max(sizes)
