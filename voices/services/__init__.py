"""What can be done with voices, recordings and builds. Every status change of this app happens in here."""

from voices.services.accounts import test_account
from voices.services.archives import TakenIn, add_archive
from voices.services.cutting import cut_given_up, cut_recording, cut_recording_later
from voices.services.datasets import Dataset, dataset_for
from voices.services.listening import compare_later, compare_recordings, examine_recordings
from voices.services.news import build_by_callback_token, receive_callback, refresh_build
from voices.services.readiness import Lacks, Readiness, all_readiness, readiness, readinesses
from voices.services.recordings import (
    add_recording,
    create_voice,
    delete_recording,
    set_active,
    set_transcript,
)
from voices.services.scores import SCORES, ScoreInfo, worst_first
from voices.services.starting import BuildRefused, cancel_build, reasons_against, start_build
from voices.services.submitting import (
    AFTER_GIVING_UP,
    delete_remote_voice,
    settle_build,
    settle_by_hand,
    submit_build,
    submit_given_up,
)

__all__ = [
    "AFTER_GIVING_UP",
    "SCORES",
    "BuildRefused",
    "Dataset",
    "Lacks",
    "Readiness",
    "ScoreInfo",
    "TakenIn",
    "add_archive",
    "add_recording",
    "all_readiness",
    "build_by_callback_token",
    "cancel_build",
    "compare_later",
    "compare_recordings",
    "create_voice",
    "cut_given_up",
    "cut_recording",
    "cut_recording_later",
    "dataset_for",
    "delete_recording",
    "delete_remote_voice",
    "examine_recordings",
    "readiness",
    "readinesses",
    "reasons_against",
    "receive_callback",
    "refresh_build",
    "set_active",
    "set_transcript",
    "settle_build",
    "settle_by_hand",
    "start_build",
    "submit_build",
    "submit_given_up",
    "test_account",
    "worst_first",
]
