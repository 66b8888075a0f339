"""Outcome of a training: the dataset is read and evaluated; the voice gets its scores or an issue."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sandbox import clip_evaluation
from sandbox.clip_evaluation import Evaluation
from sandbox.context import SandboxContext
from sandbox.resemble_v1.datasets import InvalidDataset, format_names, read_dataset
from sandbox.store import StoredObject

DATASET_FILE = "dataset"
"""The name of a voice's file in the store."""


def decide_outcome(context: SandboxContext, voice: StoredObject) -> StoredObject:
    with TemporaryDirectory() as folder:
        path = context.store.get_audio_path(voice.id, DATASET_FILE)
        try:
            dataset = read_dataset(path, voice.details["content_type"], Path(folder))
        except InvalidDataset as problem:
            return _set_outcome(voice, str(problem), {})
        evaluation = clip_evaluation.evaluate_clips(dataset.clips)
    # A raw recording can have long pauses, but a clip without speech is a mistake.
    silent = [] if dataset.is_raw else [name for name, clip in evaluation.clips.items() if clip.is_silent]
    issue = " ".join(_list_issues(evaluation, silent, context.settings.professional_seconds))
    return _set_outcome(voice, issue, {} if issue else evaluation.voice_scores)


def _set_outcome(voice: StoredObject, issue: str, scores: dict[str, float]) -> StoredObject:
    details = voice.details | {"issue": issue, "scores": scores}
    return replace(voice, status="dataset_issue" if issue else "finished", details=details)


def _list_issues(evaluation: Evaluation, silent: list[str], min_seconds: float) -> list[str]:
    outliers = [name for name, clip in evaluation.clips.items() if clip.is_outlier]
    issues = []
    if silent:
        issues.append(f"There is no speech in: {format_names(silent)}.")
    if outliers:
        issues.append(f"These sound unlike the rest (another speaker or level): {format_names(outliers)}.")
    if evaluation.usable_seconds < min_seconds:
        seconds = evaluation.usable_seconds
        issues.append(f"There are only {seconds:.1f} seconds of usable audio; at least {min_seconds:g} are needed.")
    return issues


def make_callback(voice: StoredObject) -> tuple[str, dict[str, Any]] | None:
    """The URL and body of the callback at the end of a training, or None."""
    if not voice.details["callback_uri"]:
        return None
    finished = voice.status == "finished"
    body = {"ok": finished, "id": voice.id, "status": voice.status, "issue": voice.details["issue"] or None}
    return voice.details["callback_uri"], body | ({"scores": voice.details["scores"]} if finished else {})
