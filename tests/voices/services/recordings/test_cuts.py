"""The cuts of a recording that is too long: their proposal, the clips of a person, and a split at exactly these."""

import base64
from typing import Any, BinaryIO, cast

import numpy as np
import pytest

from audio.wav.riff import read_header
from tests.support.long_recordings import make_long_wav
from tests.support.scripts import run_script
from tests.support.task_runner import run_due_tasks
from tests.support.wav import make_wav_bytes
from tests.voices.rows import Studio, make_upload
from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import MAX_ATTEMPTS
from voices.models import CutProposal, Recording, RecordingStatus, Voice
from voices.services.recordings import cuts, store
from voices.services.recordings.cuts import format_clips, parse_clips, request_cuts
from voices.services.recordings.segment import enqueue_split
from voices.services.recordings.store import add_recording

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

RATE = 16000


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


@pytest.fixture
def recording(studio: Studio, voice: Voice) -> Recording:
    recording, _new = add_recording(voice, make_upload("interview.wav", make_long_wav()), studio.producer)
    return recording


@pytest.fixture
def proposal(recording: Recording) -> CutProposal:
    request_cuts(recording)
    run_due_tasks("propose_cuts")
    return CutProposal.objects.get()


def list_pieces(recording: Recording) -> list[tuple[str, str, Any]]:
    """The name, the hash and the recipe of each stored clip."""
    return [(piece.file_name, piece.sha256, piece.recipe) for piece in recording.pieces.order_by("file_name")]


def list_spans(recording: Recording) -> list[list[int]]:
    cuts = [piece.recipe["steps"][-1] for piece in recording.pieces.order_by("file_name")]
    return [[cut["start_frame"], cut["end_frame"]] for cut in cuts]


def split(recording: Recording, studio: Studio, clips: Any = ()) -> None:
    enqueue_split(recording, studio.producer, clips)
    run_due_tasks("cut_recording")
    recording.refresh_from_db()


def read_samples(recording: Recording) -> bytes:
    with recording.sound.open("rb") as file:
        header = read_header(cast(BinaryIO, file))
        file.seek(header.data_offset)
        return bytes(file.read())


def refuse_clips(text: str, recording: Recording) -> str:
    with pytest.raises(ActionRefused) as refused:
        parse_clips(text, recording)
    return str(refused.value)


# --- the proposal ---


def test_unedited_proposal_gives_the_clips_of_a_split_without_one(
    studio: Studio, voice: Voice, recording: Recording
) -> None:
    split(recording, studio)
    expected = list_pieces(recording)
    other = studio.make_voice("Other")
    again, _new = add_recording(other, make_upload("interview.wav", make_long_wav()), studio.producer)
    request_cuts(again)
    run_due_tasks("propose_cuts")
    text = format_clips(CutProposal.objects.get(recording=again).segments, RATE)
    split(again, studio, parse_clips(text, again))
    assert again.status == RecordingStatus.SPLIT and len(expected) > 5
    assert list_pieces(again) == expected
    assert CutProposal.objects.get(recording=again).clips == [], "they are those of the proposal"


def test_split_at_pauses_uses_the_stored_proposal(
    studio: Studio, recording: Recording, proposal: CutProposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sound is read once."""
    monkeypatch.setattr("voices.services.recordings.segment.split_clip", lambda _clip: pytest.fail("read again"))
    split(recording, studio)
    assert list_spans(recording) == proposal.segments


def test_proposal_has_the_loudest_sample_of_each_10_ms(recording: Recording, proposal: CutProposal) -> None:
    samples = np.abs(np.frombuffer(read_samples(recording), "<i2").astype(np.float64)) / 32768
    peaks = np.frombuffer(base64.b64decode(proposal.peaks), np.uint8)
    expected = [samples[start : start + 160].max() for start in range(0, len(samples), 160)]
    assert len(peaks) == len(expected)
    assert np.abs(peaks / 255 - expected).max() <= 1 / 255
    assert proposal.read_share == 1 and proposal.proposed_at and proposal.method == "model"


def test_proposal_is_requested_once(recording: Recording) -> None:
    request_cuts(recording)
    request_cuts(recording)
    assert Task.objects.filter(kind="propose_cuts").count() == 1
    run_due_tasks("propose_cuts")
    request_cuts(recording)
    assert Task.objects.get(kind="propose_cuts").status == TaskStatus.DONE


def test_cuts_of_other_recordings_cannot_be_requested(studio: Studio, voice: Voice) -> None:
    (good,) = studio.make_recordings(voice, 1)
    with pytest.raises(ActionRefused, match="of more than 20 seconds can be split"):
        request_cuts(good)
    assert not CutProposal.objects.exists()


def test_share_that_is_read_is_stored_meanwhile(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuts, "REPORT_SECONDS", 0.0)
    shares: list[float] = []
    update = outbox.Lease.extend

    def extend(lease: outbox.Lease) -> None:
        shares.append(CutProposal.objects.get().read_share)
        update(lease)

    monkeypatch.setattr(outbox.Lease, "extend", extend)
    request_cuts(recording)
    run_due_tasks("propose_cuts")
    assert shares == sorted(shares) and 0.2 < shares[-1] <= 1


def test_silence_gets_a_finding_instead_of_cuts(studio: Studio, voice: Voice) -> None:
    data = make_wav_bytes(np.zeros(61 * RATE, np.float32))
    recording, _new = add_recording(voice, make_upload("silence.wav", data), studio.producer)
    request_cuts(recording)
    run_due_tasks("propose_cuts")
    recording.refresh_from_db()
    assert "nothing_to_cut" in [finding["code"] for finding in recording.findings]
    assert not recording.can_be_cut and not CutProposal.objects.exists()


def test_failed_proposal_can_be_requested_again(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    request_cuts(recording)

    def raise_error(*_: Any) -> None:
        raise OSError("The disk is gone.")

    with monkeypatch.context() as patch:
        patch.setattr("voices.services.recordings.cuts.split_clip", raise_error)
        for _ in range(MAX_ATTEMPTS):
            Task.objects.filter(kind="propose_cuts").update(due_at=recording.created_at)
            run_due_tasks("propose_cuts")
    assert CutProposal.objects.get().has_failed
    request_cuts(recording)
    assert not CutProposal.objects.get().has_failed
    run_due_tasks("propose_cuts")
    assert CutProposal.objects.get().segments


def test_proposal_of_a_recording_that_is_split_meanwhile_is_forgotten(studio: Studio, recording: Recording) -> None:
    request_cuts(recording)
    enqueue_split(recording, studio.producer)
    run_due_tasks("propose_cuts")
    assert not CutProposal.objects.exists()


# --- the clips of a person ---


def test_split_makes_exactly_the_clips_of_a_person(studio: Studio, recording: Recording, proposal: CutProposal) -> None:
    first, second, *_rest = proposal.segments
    clips = [(first[0], first[1] - 1601), (second[0] + 7, second[1]), (40 * RATE, 50 * RATE + 1)]
    clips = [clips[0], clips[1], *([clips[2]] if clips[2][0] >= clips[1][1] else [])]
    split(recording, studio, clips)
    assert recording.status == RecordingStatus.SPLIT
    assert list_spans(recording) == [list(clip) for clip in clips] and len(clips) == 3
    whole = read_samples(recording)
    for piece, (start, end) in zip(recording.pieces.order_by("file_name"), clips, strict=True):
        assert read_samples(piece) == whole[2 * start : 2 * end]
        assert piece.recipe["steps"][-1]["placed_by"] == "person" and "heard_by" not in piece.recipe["steps"][-1]


def test_only_moved_clips_say_that_a_person_placed_them(
    studio: Studio, recording: Recording, proposal: CutProposal
) -> None:
    clips = [(start, end) for start, end in proposal.segments]
    clips[1] = (clips[1][0], clips[1][1] - 100)
    split(recording, studio, clips)
    steps = [recipe["steps"][-1] for _name, _hash, recipe in list_pieces(recording)]
    assert [number for number, step in enumerate(steps) if step.get("placed_by") == "person"] == [1]
    assert all(step["heard_by"] == "model" for number, step in enumerate(steps) if number != 1)


def test_killed_worker_stores_no_clip_of_a_person_twice(
    studio: Studio, recording: Recording, proposal: CutProposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [(start + 160, end) for start, end in proposal.segments]
    enqueue_split(recording, studio.producer, clips)
    stored: list[Recording] = []

    def store_two_then_exit(*args: Any) -> Any:
        if len(stored) == 2:
            raise SystemExit
        stored.append(store.store_recording(*args)[0])

    (task,) = Task.objects.filter(kind="cut_recording")
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr("voices.services.recordings.segment.store_recording", store_two_then_exit)
        outbox.run_task(str(task.pk))
    Task.objects.filter(pk=task.pk).update(lease=None, lease_until=None)
    run_due_tasks("cut_recording")
    recording.refresh_from_db()
    assert recording.status == RecordingStatus.SPLIT
    assert list_spans(recording) == [list(clip) for clip in clips]
    assert {one.pk for one in stored} <= {piece.pk for piece in recording.pieces.all()}


def test_split_that_stopped_goes_on_only_with_the_same_clips(
    studio: Studio, recording: Recording, proposal: CutProposal
) -> None:
    """Otherwise the same words would be in two clips."""
    split(recording, studio)
    Recording.objects.filter(pk=recording.pk).update(status=RecordingStatus.ACCEPTED)
    recording.pieces.filter(file_name="interview-002.wav").delete()
    recording.refresh_from_db()
    moved = [(start + 160, end) for start, end in proposal.segments]
    with pytest.raises(ActionRefused, match=r"delete the \d+ clips"):
        enqueue_split(recording, studio.producer, moved)
    recording.refresh_from_db()
    assert recording.can_be_cut and not Task.objects.filter(kind="cut_recording", status=TaskStatus.WAITING).exists()
    split(recording, studio)
    assert list_spans(recording) == proposal.segments


def test_clips_without_a_proposal_are_refused(studio: Studio, recording: Recording) -> None:
    with pytest.raises(ActionRefused, match="are not known yet"):
        enqueue_split(recording, studio.producer, [(0, 2 * RATE)])
    recording.refresh_from_db()
    assert recording.status == RecordingStatus.ACCEPTED


# --- their text ---


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000])
def test_text_of_clips_is_exact_to_the_sample(rate: int) -> None:
    spans = [(n * rate + n, (n + 2) * rate + 7 * n) for n in range(1, 3000, 313)]
    recording = Recording(sample_rate=rate, seconds=4000)
    spans = [span for number, span in enumerate(spans) if number == 0 or span[0] >= spans[number - 1][1]]
    assert parse_clips(format_clips(spans, rate), recording) == spans


def test_positions_may_have_minutes_and_hours(recording: Recording) -> None:
    assert parse_clips("0:01 0:12.5\n1:00:00 1:00:02", Recording(sample_rate=100, seconds=4000)) == [
        (100, 1250),
        (360000, 360200),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "There is no clip."),
        ("  \n\n", "There is no clip."),
        ("1 3\nhello", "Line 2 is not a start and an end in seconds"),
        ("1 nan", "Line 1 is not"),
        ("-1 3", "Line 1 is not"),
        ("1e3 2e3", "Line 1 is not"),
        ("1 3 5", "Line 1 is not"),
        ("1 1.5", "lasts 0.50 s. A clip lasts at least 1 s"),
        ("1 62", "lasts 61.00 s. A clip lasts at most 60 s"),
        ("5 3", "ends before it begins"),
        ("3 3", "ends before it begins"),
        ("1 5\n4.99 8", "Clip 2, at 0:04.99, begins before clip 1 ends."),
        ("10 12\n1 3", "Clip 2, at 0:01.00, begins before clip 1 ends."),
        ("90 101", "ends after the recording, which lasts 100.00 s."),
        ("1 99999999999", "Line 1 is not"),
    ],
)  # fmt: skip
def test_clips_that_cannot_be_made_are_refused(text: str, problem: str) -> None:
    assert problem in refuse_clips(text, Recording(sample_rate=RATE, seconds=100))


def test_limits_are_those_of_the_check_of_a_clip() -> None:
    recording = Recording(sample_rate=RATE, seconds=100)
    assert parse_clips("0 1\n1 61", recording) == [(0, RATE), (RATE, 61 * RATE)]
    assert "0.99 s" in refuse_clips("0 0.9900", recording)
    assert "60.01 s" in refuse_clips("0 60.01", recording)


def test_only_the_first_problems_are_named() -> None:
    text = refuse_clips("\n".join(["1 1.1"] * 9), Recording(sample_rate=RATE, seconds=100))
    assert text.count("lasts 0.10 s") == 5 and "There are 12 more problems." in text
    many = "\n".join(f"{2 * n} {2 * n + 1}" for n in range(10_001))
    assert "There are 10,001 clips." in refuse_clips(many, Recording(sample_rate=RATE, seconds=30_000))


# --- the same in the page ---

MODULE = "js/cuts/clips.js"
PAGE_STATE = """({text, sound}) => {
  const one = m.makeSound(sound);
  return m.formatClips(m.makeState(m.readClips(text, one), one).clips, sound.rate);
}"""


def test_page_sends_an_unedited_proposal_back_unchanged(recording: Recording, proposal: CutProposal) -> None:
    text = format_clips(proposal.segments, RATE)
    sound = {"rate": RATE, "seconds": recording.seconds, "speech": proposal.speech}
    sent = run_script(MODULE, PAGE_STATE, {"text": text, "sound": sound})
    assert sent == text
    assert [list(clip) for clip in parse_clips(sent, recording)] == proposal.segments
