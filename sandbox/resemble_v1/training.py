"""How a training ends: the dataset is read and listened to; the voice is finished with its scores, or has an issue."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sandbox import judging
from sandbox.context import House
from sandbox.judging import Judgement
from sandbox.resemble_v1.datasets import BadDataset, listed, read_dataset
from sandbox.store import Kept

DATASET = "dataset"
"""The name of a voice's file in the store."""


def outcome(house: House, voice: Kept) -> Kept:
    with TemporaryDirectory() as folder:
        path = house.store.audio(voice.id, DATASET)
        try:
            dataset = read_dataset(path, voice.details["content_type"], Path(folder))
        except BadDataset as problem:
            return _ended(voice, str(problem), {})
        judgement = judging.judge(dataset.clips)
    # A raw recording may pause for long; a clip without speech is a mistake.
    silent = [] if dataset.raw else [name for name, heard in judgement.clips.items() if heard.is_silent]
    issue = " ".join(_issues(judgement, silent, house.settings.professional_seconds))
    return _ended(voice, issue, {} if issue else judgement.voice_scores)


def _ended(voice: Kept, issue: str, scores: dict[str, float]) -> Kept:
    details = voice.details | {"issue": issue, "scores": scores}
    return replace(voice, status="dataset_issue" if issue else "finished", details=details)


def _issues(judgement: Judgement, silent: list[str], wanted: float) -> list[str]:
    outliers = [name for name, heard in judgement.clips.items() if heard.is_outlier]
    issues = []
    if silent:
        issues.append(f"There is no speech in: {listed(silent)}.")
    if outliers:
        issues.append(f"These sound unlike the rest (another speaker or level): {listed(outliers)}.")
    if judgement.usable_seconds < wanted:
        issues.append(
            f"There are only {judgement.usable_seconds:.1f} seconds of usable audio; {wanted:g} are needed at least."
        )
    return issues


def callback(voice: Kept) -> tuple[str, dict[str, Any]] | None:
    """Where to say that a training is over, and how."""
    if not voice.details["callback_uri"]:
        return None
    finished = voice.status == "finished"
    body = {"ok": finished, "id": voice.id, "status": voice.status, "issue": voice.details["issue"] or None}
    return voice.details["callback_uri"], body | ({"scores": voice.details["scores"]} if finished else {})
