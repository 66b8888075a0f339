from consent.models.access_code import AccessCode
from consent.models.choices import WORLDWIDE, AddressCheck, Capture, ConsentStatus, EventKind, Purpose
from consent.models.comparison_answer import ComparisonAnswer
from consent.models.consent import Consent
from consent.models.contract import Contract
from consent.models.contract_confirmation import ContractConfirmation
from consent.models.contract_draft import ContractDraft
from consent.models.contract_notice import ContractNotice
from consent.models.evidence import Event
from consent.models.file_access import FileAccess
from consent.models.invitation import Invitation
from consent.models.language_exception import LanguageException
from consent.models.language_release import LanguageRelease
from consent.models.notice import Notice
from consent.models.question import Question
from consent.models.statement import Statement, Wording
from consent.models.suspension import ContractSuspension
from consent.models.take import Pronunciation, Take, TakeCheck
from consent.models.take_sound import TakeSound, TakeSoundKey
from consent.models.talent import Talent
from consent.models.talent_change import TalentChange
from consent.models.talent_mail import TalentMail

__all__ = [
    "WORLDWIDE",
    "AccessCode",
    "AddressCheck",
    "Capture",
    "ComparisonAnswer",
    "Consent",
    "ConsentStatus",
    "Contract",
    "ContractConfirmation",
    "ContractDraft",
    "ContractNotice",
    "ContractSuspension",
    "Event",
    "EventKind",
    "FileAccess",
    "Invitation",
    "LanguageException",
    "LanguageRelease",
    "Notice",
    "Pronunciation",
    "Purpose",
    "Question",
    "Statement",
    "Take",
    "TakeCheck",
    "TakeSound",
    "TakeSoundKey",
    "Talent",
    "TalentChange",
    "TalentMail",
    "Wording",
]
