"""What the background tasks of this app work on: a talent."""

from consent.models import AccessCode, ContractNotice, Invitation, Take, Talent, TalentChange, TalentMail
from consent.names import VIEW_NAMES
from voicehub.admin_base.subjects import Subject, read_first_id, register_subject

register_subject(Subject(Invitation, VIEW_NAMES, ("talent__name",)), "send_invitation", "send_reminder")
register_subject(Subject(TalentMail, VIEW_NAMES, ("consent__talent__name",)), "send_talent_mail")
register_subject(Subject(AccessCode, VIEW_NAMES, ("invitation__talent__name",)), "send_code")
register_subject(Subject(TalentChange, VIEW_NAMES, ("talent__name",)), "send_talent_change")
register_subject(Subject(ContractNotice, VIEW_NAMES, ("contract__talent__name",)), "send_contract_notice")
register_subject(Subject(Take, VIEW_NAMES, ("consent__talent__name",)), "check_take")
register_subject(Subject(Talent, VIEW_NAMES, ("name",), read_first_id), "delete_contract_draft_file")
register_subject(Subject(Talent, VIEW_NAMES, ("name",)), "match_takes")
