"""What the background tasks of this app work on."""

from voicehub.admin_base.subjects import Subject, read_before_colon, read_first_id, register_subject
from voices.models import Account, Build, BulkChange, Import, ImportFile, Preview, Recording, RemoteVoice, Voice

register_subject(
    Subject(Build, "voices.view_build", ("voice__name",)),
    "submit_build", "settle_build", "refresh_build", "send_build_mail",
)  # fmt: skip
register_subject(
    Subject(RemoteVoice, "voices.view_remotevoice", ("voice__name", "name")),
    "delete_remote_voice", "delete_remote_files", "send_public_voice_mail", "send_deletion_task",
    "send_deletion_notice",
)  # fmt: skip
register_subject(
    Subject(Preview, "voices.view_remotevoice", ("remote_voice__voice__name", "remote_voice__name")), "make_preview"
)
register_subject(
    Subject(Voice, "voices.view_voice", ("name",)), "examine_recordings", "compare_recordings", "set_transcripts"
)
register_subject(Subject(Voice, "voices.view_voice", ("name",), read_first_id), "delete_partial_files")
register_subject(Subject(Voice, "voices.view_voice", ("name",), read_before_colon), "examine_share")
register_subject(Subject(Recording, "voices.view_voice", ("voice__name",)), "propose_cuts", "cut_recording")
register_subject(Subject(Import, "voices.view_voice", ("voice__name",)), "check_import", "add_import", "clear_import")
register_subject(Subject(BulkChange, "voices.view_voice", ("voice__name",)), "finish_bulk_change")
register_subject(Subject(ImportFile, "voices.view_voice", ("import_set__voice__name",)), "join_import_file")
# The id of the account, and that of the person.
register_subject(Subject(Account, "voices.view_account", ("name",), read_before_colon), "send_pause_mail")
