"""Training jobs: a thread waits, reads the dataset, evaluates it, decides the outcome and sends the callback."""

import logging
from dataclasses import dataclass, replace
from threading import Thread
from typing import Any

from sandbox import callbacks, clip_evaluation, clock, training
from sandbox.clip_evaluation import AudioClip, Evaluation
from sandbox.context import SandboxContext, Settings
from sandbox.resemble_v2 import constants, rows
from sandbox.resemble_v2.datasets import InvalidDataset, read_dataset
from sandbox.resemble_v2.rows import Recording, Source, Status, Voice
from sandbox.store import format_now

logger = logging.getLogger(__name__)

MAX_SECONDS_BY_SOURCE = {
    Source.UPLOAD: constants.MAX_TRAINED_SECONDS,
    Source.CLIP: constants.MAX_DATASET_CLIP_SECONDS,
    Source.RAW: float("inf"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a training. `recordings` are the evaluated recordings, with their new scores and flags."""

    status: Status
    issue: str | None = None
    recordings: tuple[Recording, ...] = ()
    scores: dict[str, float] | None = None
    analysis_failed: bool = False


def resume_trainings(context: SandboxContext) -> None:
    """Resume unfinished trainings and callbacks after a restart."""
    with context.store.transaction() as db:
        unfinished = rows.list_unfinished_voices(db)
    for voice in unfinished:
        start_training(context, voice.uuid)


def count_due_trainings(context: SandboxContext) -> int:
    """Number of trainings that are overdue or whose callback is not yet sent."""
    with context.store.transaction() as db:
        unfinished = rows.list_unfinished_voices(db)
    return sum((voice.ready_at or 0) <= clock.now() for voice in unfinished)


def start_training(context: SandboxContext, uuid: str) -> None:
    """Train the voice in its own thread. Its row has the end time, so that a restarted sandbox resumes the training."""
    Thread(target=_run_training, args=(context, uuid), name=f"training {uuid}", daemon=True).start()


def _run_training(context: SandboxContext, uuid: str) -> None:
    try:
        if voice := _mark_running(context, uuid):
            _send_early_callback(context, voice)
            clock.wait_until(voice.ready_at or 0, context.closing)
            if context.closing.is_set():
                return
            with training.ANALYSIS_LOCK:
                _record_outcome(context, uuid, _decide_outcome(context, voice))
        _send_due_callback(context, uuid)
    except Exception:
        if not context.closing.is_set():
            logger.exception("The training of %s failed", uuid)


def _mark_running(context: SandboxContext, uuid: str) -> Voice | None:
    """Set the voice to running. None if no training is due, as only a callback is due or the voice is deleted."""
    with context.store.transaction() as db:
        voice = rows.find_voice(db, uuid)
        if voice is None or voice.ready_at is None:
            return None
        voice = replace(voice, status=Status.RUNNING, updated_at=format_now())
        rows.save_voice(db, voice)
        return voice


def _decide_outcome(context: SandboxContext, voice: Voice) -> Outcome:
    """Check the consent first. If it is not valid, the voice fails and no recording is evaluated."""
    if voice.consent:
        issue = clip_evaluation.find_consent_issue(context.store.get_audio_path(voice.uuid, voice.consent))
        if issue:
            return Outcome(Status.CONSENT_VALIDATION_FAILED, issue)
    try:
        read_dataset(context, voice)
    except InvalidDataset as problem:
        return Outcome(Status.DATASET_ISSUE, str(problem), analysis_failed=True)
    with context.store.transaction() as db:
        trained = [recording for recording in rows.list_recordings(db, voice.uuid) if _is_used_in_training(recording)]
    return _evaluate_recordings(context, voice, trained)


def _is_used_in_training(recording: Recording) -> bool:
    return recording.is_active and recording.seconds <= MAX_SECONDS_BY_SOURCE[recording.source]


def _evaluate_recordings(context: SandboxContext, voice: Voice, trained: list[Recording]) -> Outcome:
    evaluation = clip_evaluation.evaluate_clips(
        [AudioClip(recording.uuid, context.store.get_audio_path(voice.uuid, recording.file)) for recording in trained]
    )
    evaluated = tuple(_apply_evaluation(recording, evaluation) for recording in trained)
    if issues := _list_issues(voice, evaluated, evaluation, context.settings):
        return Outcome(Status.DATASET_ISSUE, " ".join(issues), evaluated)
    return Outcome(Status.FINISHED, None, evaluated, evaluation.voice_scores)


def _apply_evaluation(recording: Recording, evaluation: Evaluation) -> Recording:
    """Copy scores and flags into a recording. An outlier becomes inactive and cannot be made active again."""
    clip = evaluation.clips[recording.uuid]
    return replace(
        recording,
        scores=clip.scores,
        is_silent=clip.is_silent,
        is_outlier=clip.is_outlier,
        is_active=not clip.is_outlier,
    )


def _list_issues(
    voice: Voice, evaluated: tuple[Recording, ...], evaluation: Evaluation, settings: Settings
) -> list[str]:
    is_rapid = voice.voice_type == "rapid"
    min_seconds = settings.rapid_seconds if is_rapid else settings.professional_seconds
    issues = []
    if silent := _format_names(recording for recording in evaluated if recording.is_silent):
        issues.append(f"There is no speech in: {silent}.")
    if outliers := _format_names(recording for recording in evaluated if recording.is_outlier):
        issues.append(f"These sound unlike the other recordings (another speaker or level): {outliers}.")
    if evaluation.usable_seconds < min_seconds:
        issues.append(
            f"There are only {evaluation.usable_seconds:.1f} seconds of usable audio;"
            f" a {voice.voice_type} voice needs at least {min_seconds:g}."
        )
    return issues


def _format_names(recordings: Any) -> str:
    return ", ".join(recording.name for recording in recordings)


def _record_outcome(context: SandboxContext, uuid: str, outcome: Outcome) -> None:
    """Commit the outcome, unless the voice was deleted in the meantime. Deleted recordings stay deleted."""
    with context.store.transaction() as db:
        voice = rows.find_voice(db, uuid)
        if voice is None:
            return
        for evaluated in outcome.recordings:
            if known := rows.find_recording(db, uuid, evaluated.uuid):
                rows.save_recording(
                    db,
                    replace(
                        known,
                        scores=evaluated.scores,
                        is_silent=evaluated.is_silent,
                        is_outlier=evaluated.is_outlier,
                        is_active=known.is_active and evaluated.is_active,
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
            updated_at=format_now(),
        )
        rows.save_voice(db, ended)


def _send_early_callback(context: SandboxContext, voice: Voice) -> None:
    """Send a callback that reports success, if the fault `early` asks for it."""
    if voice.callback_uri:
        body = make_callback_body(replace(voice, status=Status.FINISHED, issue=None), [], context.settings)
        callbacks.send_early_callback(context, voice.callback_uri, body)


def _send_due_callback(context: SandboxContext, uuid: str) -> None:
    """Send the callback that is due. It stays due if the sandbox stops before it is sent."""
    with context.store.transaction() as db:
        voice = rows.find_voice(db, uuid)
        recordings = rows.list_recordings(db, uuid)
    if voice is None or voice.ready_at is not None or not voice.callback_due or not voice.callback_uri:
        return
    callbacks.send_callback(context, voice.callback_uri, make_callback_body(voice, recordings, context.settings))
    if context.closing.is_set():
        return
    with context.store.transaction() as db:
        latest = rows.find_voice(db, uuid)
        # A build that ended while this callback was being sent has its own callback due.
        if latest and latest.updated_at == voice.updated_at:
            rows.save_voice(db, replace(latest, callback_due=False))


def make_callback_body(voice: Voice, recordings: list[Recording], settings: Settings) -> dict[str, Any]:
    """The body in the format of the vendor's documentation, including its spelling `si_dr_score`."""
    listed = recordings if voice.status is Status.DATASET_ISSUE else []
    if settings.callback_recordings != "all":
        listed = [recording for recording in listed if _is_problematic(recording)]
    return {
        "ok": voice.status is Status.FINISHED,
        "id": voice.uuid,
        "status": voice.status.value,
        "recordings": [_make_callback_recording(recording) for recording in listed],
        "issue": voice.issue,
    }


def _is_problematic(recording: Recording) -> bool:
    score = recording.scores.get("resemble_sample_score")
    weak = score is not None and score < constants.WEAK_SAMPLE_SCORE
    return recording.is_silent or recording.is_outlier or (weak and recording.is_active)


def _make_callback_recording(recording: Recording) -> dict[str, Any]:
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
