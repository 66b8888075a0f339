"""What the background tasks of this app work on: a talent."""

from consent.models import AccessCode, ContractNotice, Invitation, Take, Talent, TalentChange, TalentMail
from voicehub.admin_base.subjects import Subject, read_first_id, register_subject

PERMISSION = "consent.view_talent"

register_subject(Subject(Invitation, PERMISSION, ("talent__name",)), "send_invitation", "send_reminder")
register_subject(Subject(TalentMail, PERMISSION, ("consent__talent__name",)), "send_talent_mail")
register_subject(Subject(AccessCode, PERMISSION, ("invitation__talent__name",)), "send_code")
register_subject(Subject(TalentChange, PERMISSION, ("talent__name",)), "send_talent_change")
register_subject(Subject(ContractNotice, PERMISSION, ("contract__talent__name",)), "send_contract_notice")
register_subject(Subject(Take, PERMISSION, ("consent__talent__name",)), "check_take")
register_subject(Subject(Talent, PERMISSION, ("name",), read_first_id), "delete_contract_draft_file")
register_subject(Subject(Talent, PERMISSION, ("name",)), "match_takes")
