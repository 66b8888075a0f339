"""What each kind of background task does, for staff: on Today and in the administration."""

TASK_LABELS = {
    "submit_build": "Sending a build",
    "settle_build": "Looking up a build at the provider",
    "refresh_build": "Checking the status of a build",
    "send_invitation": "Sending an invitation",
    "send_code": "Sending a one-time code",
    "send_reminder": "Sending a reminder",
    "remind_talents": "Looking for reminders to send",
    "send_contract_notice": "Sending a mail about the end of a contract",
    "send_talent_mail": "Sending a mail about a consent",
    "send_talent_change": "Sending a mail about a changed name or address",
    "send_build_mail": "Sending a mail about a build",
    "send_pause_mail": "Sending a mail about a paused account",
    "send_public_voice_mail": "Sending a mail about a public voice",
    "make_preview": "Generating a preview",
    "measure_previews": "Measuring previews",
    "delete_remote_voice": "Deleting a voice at the provider",
    "delete_remote_files": "Deleting files at the provider",
    "delete_partial_files": "Deleting files of a recording",
    "finish_bulk_change": "Deleting files or undo data of an action on recordings",
    "send_deletion_task": "Sending a mail about a deletion",
    "check_take": "Checking a consent recording",
    "examine_recordings": "Analyzing recordings",
    "compare_recordings": "Comparing recordings",
    "match_takes": "Comparing the voice of consent recordings",
    "expire_consents": "Expiring consents",
    "delete_contract_drafts": "Deleting the files of unfinished contract forms",
    "delete_contract_draft_file": "Deleting the file of a contract form",
    "check_evidence": "Checking contract files and audit logs",
    "schedule_deletions": "Planning deletions",
    "send_deletion_notice": "Sending a mail about a planned deletion",
    "refresh_usage": "Asking the providers about usage",
    "set_transcripts": "Setting transcripts from a table",
    "propose_cuts": "Finding where to split a recording",
    "cut_recording": "Splitting a recording",
}


def describe_task(kind: str) -> str:
    return TASK_LABELS.get(kind, kind.replace("_", " ").capitalize())
