"""What can be done with voices, recordings and builds. Every status change of this app happens in here."""

from voices.services.accounts import add_account, change_key, pause_account, resume_account, test_account
from voices.services.builds.dataset import Dataset, dataset_for
from voices.services.builds.poll import build_by_callback_token, receive_callback, refresh_build
from voices.services.builds.readiness import Lacks, Readiness, all_readiness, readiness, readinesses
from voices.services.builds.reconcile import conclude_by_hand, settle_build, settle_by_hand
from voices.services.builds.scores import SCORES, ScoreInfo, worst_first
from voices.services.builds.selection import Sending, rows_of, sending
from voices.services.builds.start import BuildRefused, cancel_build, reasons_against, start_build
from voices.services.builds.submit import AFTER_GIVING_UP, submit_build, submit_given_up
from voices.services.previews import LONGEST_TEXT, ask_preview, make_preview, preview_given_up, reasons_against_preview
from voices.services.recordings.analysis import compare_later, compare_recordings, examine_recordings
from voices.services.recordings.archive_upload import TakenIn, add_archive
from voices.services.recordings.segment import cut_given_up, cut_recording, cut_recording_later
from voices.services.recordings.store import add_recording, create_voice, delete_recording, set_active, set_transcript
from voices.services.remote_voices import (
    Orphan,
    adopt,
    ask_deletion,
    capabilities_of,
    delete_orphan,
    delete_remote_voice,
    look,
    note_deletion,
    orphans,
    rename,
    set_visibility,
)

__all__ = [
    "AFTER_GIVING_UP",
    "LONGEST_TEXT",
    "SCORES",
    "BuildRefused",
    "Dataset",
    "Lacks",
    "Orphan",
    "Readiness",
    "ScoreInfo",
    "Sending",
    "TakenIn",
    "add_account",
    "add_archive",
    "add_recording",
    "adopt",
    "all_readiness",
    "ask_deletion",
    "ask_preview",
    "build_by_callback_token",
    "cancel_build",
    "capabilities_of",
    "change_key",
    "compare_later",
    "compare_recordings",
    "conclude_by_hand",
    "create_voice",
    "cut_given_up",
    "cut_recording",
    "cut_recording_later",
    "dataset_for",
    "delete_orphan",
    "delete_recording",
    "delete_remote_voice",
    "examine_recordings",
    "look",
    "make_preview",
    "note_deletion",
    "orphans",
    "pause_account",
    "preview_given_up",
    "readiness",
    "readinesses",
    "reasons_against",
    "reasons_against_preview",
    "receive_callback",
    "refresh_build",
    "rename",
    "resume_account",
    "rows_of",
    "sending",
    "set_active",
    "set_transcript",
    "set_visibility",
    "settle_build",
    "settle_by_hand",
    "start_build",
    "submit_build",
    "submit_given_up",
    "test_account",
    "worst_first",
]
