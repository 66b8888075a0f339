"""What can be done with talents, contracts and consents. Every status change of this app happens in here."""

from consent.services.audit_log import first_broken, record, verify_all_histories
from consent.services.contracts import file_contract, pdf_problem
from consent.services.errors import NotPossible
from consent.services.gate import Permission, Wish, permission, permissions
from consent.services.invitations import NoStatement, ask, begin, copy_link, invite, revoke, send_invitation, void
from consent.services.review import approve, ask_again, decline, expire_due, resume, suspend, withdraw
from consent.services.take_checks import check_given_up, check_take, set_match
from consent.services.takes import TakeDamaged, submit_take

__all__ = [
    "NoStatement",
    "NotPossible",
    "Permission",
    "TakeDamaged",
    "Wish",
    "approve",
    "ask",
    "ask_again",
    "begin",
    "check_given_up",
    "check_take",
    "copy_link",
    "decline",
    "expire_due",
    "file_contract",
    "first_broken",
    "invite",
    "pdf_problem",
    "permission",
    "permissions",
    "record",
    "resume",
    "revoke",
    "send_invitation",
    "set_match",
    "submit_take",
    "suspend",
    "verify_all_histories",
    "void",
    "withdraw",
]
