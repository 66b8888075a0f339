from consent.models.check import Pronunciation, TakeCheck
from consent.models.contract import Contract
from consent.models.evidence import Event, Take
from consent.models.invitation import Invitation
from consent.models.permission import Consent, Statement
from consent.models.talent import Talent
from consent.models.words import Capture, ConsentStatus, EventKind, Purpose

__all__ = [
    "Capture",
    "Consent",
    "ConsentStatus",
    "Contract",
    "Event",
    "EventKind",
    "Invitation",
    "Pronunciation",
    "Purpose",
    "Statement",
    "Take",
    "TakeCheck",
    "Talent",
]
