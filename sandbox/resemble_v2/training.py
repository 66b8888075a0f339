"""The life of a training: a thread that waits, reads the dataset, listens, decides, and calls back."""

import logging
from dataclasses import dataclass, replace
from threading import Thread
from typing import Any

from sandbox import callbacks, clock, judging, training
from sandbox.context import House, Settings
from sandbox.judging import JudgedFile, Judgement
from sandbox.resemble_v2 import constants, rows
from sandbox.resemble_v2.datasets import BadDataset, read_dataset
from sandbox.resemble_v2.rows import Recording, Source, Status, Voice
from sandbox.store import now

logger = logging.getLogger(__name__)

LONGEST = {
    Source.UPLOAD: constants.LONGEST_TRAINED,
    Source.CLIP: constants.LONGEST_DATASET_CLIP,
    Source.RAW: float("inf"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a training ended; `recordings` are all that were heard, with their new scores and flags."""

    status: Status
    issue: str | None = None
    recordings: tuple[Recording, ...] = ()
    scores: dict[str, float] | None = None
    analysis_failed: bool = False


def resume(house: House) -> None:
    """Go on with the trainings and callbacks that an earlier run of the sandbox left."""
    with house.store.transaction() as db:
        left = rows.unfinished_voices(db)
    for voice in left:
        start(house, voice.uuid)


def due(house: House) -> int:
    """How many trainings are past their time, or ended with a callback that is still on its way."""
    with house.store.transaction() as db:
        unfinished = rows.unfinished_voices(db)
    return sum((voice.ready_at or 0) <= clock.now() for voice in unfinished)


def start(house: House, uuid: str) -> None:
    """Train the voice in a thread of its own; its row says until when, so a restart can do the same."""
    Thread(target=_train, args=(house, uuid), name=f"training {uuid}", daemon=True).start()


def _train(house: House, uuid: str) -> None:
    try:
        if voice := _running(house, uuid):
            _call_back_early(house, voice)
            clock.wait(voice.ready_at or 0, house.closing)
            if house.closing.is_set():
                return
            with training.ONE_AT_A_TIME:
                _settle(house, uuid, _outcome(house, voice))
        _call_back(house, uuid)
    except Exception:
        if not house.closing.is_set():
            logger.exception("The training of %s broke", uuid)


def _running(house: House, uuid: str) -> Voice | None:
    """The voice, now running; None if no training of it is due (only its callback, or it is gone)."""
    with house.store.transaction() as db:
        voice = rows.voice_by_id(db, uuid)
        if voice is None or voice.ready_at is None:
            return None
        voice = replace(voice, status=Status.RUNNING, updated_at=now())
        rows.save_voice(db, voice)
        return voice


def _outcome(house: House, voice: Voice) -> Outcome:
    """Consent first: without it nothing of the voice is listened to."""
    if voice.consent:
        issue = judging.consent_issue(house.store.audio(voice.uuid, voice.consent))
        if issue:
            return Outcome(Status.CONSENT_VALIDATION_FAILED, issue)
    try:
        read_dataset(house, voice)
    except BadDataset as problem:
        return Outcome(Status.DATASET_ISSUE, str(problem), analysis_failed=True)
    with house.store.transaction() as db:
        trained = [recording for recording in rows.recordings_of(db, voice.uuid) if _is_trained(recording)]
    return _judged(house, voice, trained)


def _is_trained(recording: Recording) -> bool:
    return recording.is_active and recording.seconds <= LONGEST[recording.source]


def _judged(house: House, voice: Voice, trained: list[Recording]) -> Outcome:
    judgement = judging.judge([JudgedFile(one.uuid, house.store.audio(voice.uuid, one.file)) for one in trained])
    heard = tuple(_flagged(recording, judgement) for recording in trained)
    if issues := _issues(voice, heard, judgement, house.settings):
        return Outcome(Status.DATASET_ISSUE, " ".join(issues), heard)
    return Outcome(Status.FINISHED, None, heard, judgement.voice_scores)


def _flagged(recording: Recording, judgement: Judgement) -> Recording:
    """With what was heard; an outlier is no longer active (and cannot become so again)."""
    heard = judgement.clips[recording.uuid]
    return replace(
        recording,
        scores=heard.scores,
        is_silent=heard.is_silent,
        is_outlier=heard.is_outlier,
        is_active=not heard.is_outlier,
    )


def _issues(voice: Voice, heard: tuple[Recording, ...], judgement: Judgement, settings: Settings) -> list[str]:
    rapid = voice.voice_type == "rapid"
    wanted = settings.rapid_seconds if rapid else settings.professional_seconds
    issues = []
    if silent := _names(recording for recording in heard if recording.is_silent):
        issues.append(f"There is no speech in: {silent}.")
    if outliers := _names(recording for recording in heard if recording.is_outlier):
        issues.append(f"These sound unlike the other recordings (another speaker or level): {outliers}.")
    if judgement.usable_seconds < wanted:
        issues.append(
            f"There are only {judgement.usable_seconds:.1f} seconds of usable audio;"
            f" a {voice.voice_type} voice needs at least {wanted:g}."
        )
    return issues


def _names(recordings: Any) -> str:
    return ", ".join(recording.name for recording in recordings)


def _settle(house: House, uuid: str, outcome: Outcome) -> None:
    """Commit how it ended, unless the voice was deleted meanwhile; recordings deleted meanwhile stay so."""
    with house.store.transaction() as db:
        voice = rows.voice_by_id(db, uuid)
        if voice is None:
            return
        for heard in outcome.recordings:
            if known := rows.recording_by_id(db, uuid, heard.uuid):
                rows.save_recording(
                    db,
                    replace(
                        known,
                        scores=heard.scores,
                        is_silent=heard.is_silent,
                        is_outlier=heard.is_outlier,
                        is_active=known.is_active and heard.is_active,
                    ),
                )
        ended = replace(
            voice,
            status=outcome.status,
            issue=outcome.issue,
            scores=outcome.scores or {},
            dataset_analysis_failure=outcome.analysis_failed,
            ready_at=None,
            callback_due=bool(voice.callback_uri),
            updated_at=now(),
        )
        rows.save_voice(db, ended)


def _call_back_early(house: House, voice: Voice) -> None:
    """What says that it is over, where the fault script wants that."""
    if voice.callback_uri:
        body = callback_body(replace(voice, status=Status.FINISHED, issue=None), [], house.settings)
        callbacks.send_early(house, voice.callback_uri, body)


def _call_back(house: House, uuid: str) -> None:
    """Send the callback that is due. A sandbox that stops before it is through sends it again."""
    with house.store.transaction() as db:
        voice = rows.voice_by_id(db, uuid)
        heard = rows.recordings_of(db, uuid)
    if voice is None or voice.ready_at is not None or not voice.callback_due or not voice.callback_uri:
        return
    callbacks.send(house, voice.callback_uri, callback_body(voice, heard, house.settings))
    if house.closing.is_set():
        return
    with house.store.transaction() as db:
        latest = rows.voice_by_id(db, uuid)
        # A build that ended while this callback was on its way owes one of its own.
        if latest and latest.updated_at == voice.updated_at:
            rows.save_voice(db, replace(latest, callback_due=False))


def callback_body(voice: Voice, recordings: list[Recording], settings: Settings) -> dict[str, Any]:
    """The body in the shapes of the vendor's page, its spelling `si_dr_score` included."""
    listed = recordings if voice.status is Status.DATASET_ISSUE else []
    if settings.callback_recordings != "all":
        listed = [recording for recording in listed if _is_problematic(recording)]
    return {
        "ok": voice.status is Status.FINISHED,
        "id": voice.uuid,
        "status": voice.status.value,
        "recordings": [_callback_recording(recording) for recording in listed],
        "issue": voice.issue,
    }


def _is_problematic(recording: Recording) -> bool:
    score = recording.scores.get("resemble_sample_score")
    weak = score is not None and score < constants.WEAK_SAMPLE_SCORE
    return recording.is_silent or recording.is_outlier or (weak and recording.is_active)


def _callback_recording(recording: Recording) -> dict[str, Any]:
    scores = ("stoi_score", "pesq_score", "si_dr_score", "resemble_sample_score")
    return {
        "uuid": recording.uuid,
        "name": recording.name,
        "transcript": recording.text,
        **{name: recording.scores.get(name) for name in scores},
        "is_active": recording.is_active,
        "is_outlier": recording.is_outlier,
        "is_silent": recording.is_silent,
    }
