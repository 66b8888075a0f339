"""Task handlers of this app. Each handler calls one service."""

from datetime import timedelta

from voicehub.outbox import ANALYSIS, TAKES, URGENT, Lease, register_handler
from voicehub.retry_policy import DELETION_SCHEDULE_INTERVAL, IMPORT_EXPIRY_INTERVAL, UPLOAD_SWEEP_INTERVAL
from voices.services import (
    deletion,
    deletion_assignment,
    deletion_notices,
    file_deletion,
    preview_sounds,
    previews,
    scheduled_deletion,
    staff_mails,
    usage_refresh,
)
from voices.services.builds import poll, reconcile, submit
from voices.services.builds.submit import handle_submit_failure
from voices.services.imports import add, check, clear, expiry, joining
from voices.services.imports.rows import ADD_TASK, CHECK_TASK
from voices.services.imports.uploads import JOIN_TASK
from voices.services.previews import handle_preview_failure
from voices.services.recordings import analysis, comparison, cuts, segment, store, take_matches
from voices.services.recordings.bulk import deletion as bulk_deletion
from voices.services.recordings.bulk import table_task
from voices.services.recordings.bulk.changes import FINISH_TASK
from voices.services.recordings.bulk.parts import SET_TEXTS_TASK
from voices.services.recordings.cuts import handle_proposal_failure
from voices.services.recordings.segment import handle_split_failure


@register_handler("submit_build", on_failure=handle_submit_failure)
def submit_build(build_id: str, lease: Lease) -> timedelta | None:
    return submit.submit_build(build_id, lease)


@register_handler("settle_build", queue=URGENT, gives_up=False)
def reconcile_build(build_id: str, _lease: Lease) -> timedelta | None:
    return reconcile.reconcile_build(build_id)


@register_handler("refresh_build", queue=URGENT, gives_up=False)
def refresh_build(build_id: str, _lease: Lease) -> timedelta | None:
    return poll.refresh_build(build_id)


@register_handler(scheduled_deletion.DELETION_TASK, queue=URGENT, gives_up=False)
def delete_remote_voice(remote_voice_id: str, _lease: Lease) -> timedelta | None:
    return deletion.delete_remote_voice(remote_voice_id)


@register_handler(scheduled_deletion.FILE_TASK, queue=URGENT, gives_up=False)
def delete_remote_files(remote_voice_id: str, lease: Lease) -> timedelta | None:
    return file_deletion.delete_remote_files(remote_voice_id, lease)


@register_handler(store.DELETE_PARTIAL_FILES_TASK, gives_up=False)
def delete_partial_files(ids: str, _lease: Lease) -> None:
    store.delete_partial_files(ids)


@register_handler(FINISH_TASK, gives_up=False)
def finish_bulk_change(change_id: str, lease: Lease) -> timedelta | None:
    return bulk_deletion.finish_change(change_id, lease)


@register_handler(deletion_assignment.MAIL_TASK)
def send_deletion_task(remote_voice_id: str, _lease: Lease) -> timedelta | None:
    return deletion_assignment.send_deletion_task(remote_voice_id)


@register_handler(scheduled_deletion.SCHEDULE_TASK, queue=URGENT, gives_up=False)
def schedule_deletions(_scope: str, _lease: Lease) -> timedelta:
    scheduled_deletion.schedule_deletions()
    return DELETION_SCHEDULE_INTERVAL


@register_handler("refresh_usage", gives_up=False)
def refresh_usage(_scope: str, lease: Lease) -> timedelta:
    return usage_refresh.refresh_usage(lease.extend)


@register_handler(scheduled_deletion.NOTICE_TASK, gives_up=False)
def send_deletion_notice(remote_voice_id: str, _lease: Lease) -> None:
    deletion_notices.send_deletion_notice(remote_voice_id)


@register_handler(staff_mails.BUILD_TASK)
def send_build_mail(build_id: str, _lease: Lease) -> None:
    staff_mails.send_build_mail(build_id)


@register_handler(staff_mails.PAUSE_TASK)
def send_pause_mail(account_and_user: str, _lease: Lease) -> None:
    staff_mails.send_pause_mail(account_and_user)


@register_handler(staff_mails.PUBLIC_TASK)
def send_public_voice_mail(remote_voice_id: str, _lease: Lease) -> None:
    staff_mails.send_public_voice_mail(remote_voice_id)


@register_handler("make_preview", on_failure=handle_preview_failure)
def make_preview(preview_id: str, _lease: Lease) -> timedelta | None:
    return previews.make_preview(preview_id)


@register_handler("measure_previews", queue=ANALYSIS, gives_up=False)
def measure_previews(_scope: str, lease: Lease) -> timedelta:
    return preview_sounds.measure_previews(lease.extend)


@register_handler(store.ANALYZE_TASK, queue=ANALYSIS)
def analyze_recordings(voice_id: str, lease: Lease) -> timedelta | None:
    return analysis.analyze_recordings(voice_id, lease)


@register_handler(analysis.SHARE_TASK, queue=ANALYSIS)
def analyze_share(voice_and_share: str, lease: Lease) -> timedelta | None:
    return analysis.analyze_share(voice_and_share, lease)


@register_handler(store.COMPARE_TASK, queue=ANALYSIS)
def compare_recordings(voice_id: str, lease: Lease) -> timedelta | None:
    return comparison.compare_recordings(voice_id, lease)


@register_handler(take_matches.MATCH_TASK, queue=ANALYSIS)
def match_takes(talent_id: str, lease: Lease) -> None:
    take_matches.match_takes(talent_id, lease)


@register_handler(SET_TEXTS_TASK, queue=ANALYSIS)
def set_transcripts(voice_id: str, lease: Lease) -> None:
    table_task.finish_tables(voice_id, lease)


@register_handler(JOIN_TASK, queue=TAKES, gives_up=False)
def join_import_file(file_id: str, lease: Lease) -> None:
    joining.join_parts(file_id, lease.extend)


@register_handler(expiry.SWEEP_TASK, gives_up=False)
def delete_old_uploads(_scope: str, _lease: Lease) -> timedelta:
    expiry.delete_old_uploads()
    return UPLOAD_SWEEP_INTERVAL


@register_handler("cut_recording", on_failure=handle_split_failure, queue=ANALYSIS)
def split_recording(recording_id: str, lease: Lease) -> None:
    segment.split_recording(recording_id, lease)


@register_handler(CHECK_TASK, on_failure=check.handle_check_failure, queue=TAKES)
def check_import(import_id: str, lease: Lease) -> timedelta | None:
    return check.check_import(import_id, lease)


@register_handler(ADD_TASK, on_failure=add.handle_add_failure, queue=TAKES)
def add_import(import_id: str, lease: Lease) -> timedelta | None:
    return add.add_import(import_id, lease)


@register_handler(clear.CLEAR_TASK, gives_up=False)
def clear_import(import_id: str, _lease: Lease) -> timedelta | None:
    return clear.clear_import(import_id)


@register_handler(clear.EXPIRE_TASK, gives_up=False)
def expire_imports(_scope: str, _lease: Lease) -> timedelta:
    clear.expire_imports()
    return IMPORT_EXPIRY_INTERVAL


@register_handler(cuts.PROPOSE_TASK, on_failure=handle_proposal_failure, queue=ANALYSIS)
def propose_cuts(recording_id: str, lease: Lease) -> None:
    cuts.propose_cuts(recording_id, lease)
