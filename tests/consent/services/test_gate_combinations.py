"""The gate over all combinations of consent, contract, other contract and voice, against the sentences in tables.

Each value of a table has its own expected sentence, so that the oracle shares no rule with the gate.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product, starmap
from typing import Any, NamedTuple

import pytest
from django.utils import timezone

from consent.models import (
    Capture,
    Consent,
    ConsentStatus,
    Contract,
    ContractConfirmation,
    ContractSuspension,
    LanguageException,
    Purpose,
    Take,
    Talent,
)
from consent.services.gate import BuildPermission, BuildPurpose, check_permissions
from tests.consent.rows import PROVIDER, make_statement
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.usefixtures("reads_names")]

NAME, COMPANY, LABEL = "Tilda Strand", "Nord & Söhne", "Resemble AI"
# "Today" must stay the same until the last combination.
TODAY = timezone.localdate()
SIGNED, OTHER_SIGNED = TODAY - timedelta(days=9), TODAY - timedelta(days=20)
CONSENT, OTHER_COMPANY = f"The consent of {NAME} for {LABEL}", "Süd GmbH"


def format_day(day: date) -> str:
    return f"{day:%B} {day.day}, {day:%Y}"


CONTRACT = f"contract signed on {format_day(SIGNED)}"
NEW_NAME = "Request a new consent under the new name, or change the name back."

# The talent's name in the consent.
NAMES = {
    NAME: "",
    " tilda  STRAND ": "",
    "Tilda Berg": f"{CONSENT} names “Tilda Berg”, not “{NAME}”. {NEW_NAME}",
    "": f"{CONSENT} was given under another name. {NEW_NAME}",
}
# The company in the consent, judged if the contract's party is COMPANY.
COMPANIES = {
    COMPANY: "",
    "NORD &  söhne ": "",
    OTHER_COMPANY: f"{CONSENT} names {OTHER_COMPANY}, but the {CONTRACT} is with {COMPANY}. Request a new consent "
    f"that names {COMPANY}, or add the contract of {OTHER_COMPANY}.",
}
# The languages that a person allowed, and the languages of voices. The consent was read in English (en-US).
EXCEPTIONS: tuple[tuple[str, ...], ...] = ((), ("fr",), ("fr", "de"))
LANGUAGES = ("", "en-GB", "de-AT")
NOT_GERMAN = (
    f"{CONSENT} was read in English, but the voice is in German. Request a consent in German, or allow German on the "
    "page of the consent."
)
PURPOSES = {
    "confirmed": "",
    "not confirmed": f"The {CONTRACT} is not confirmed for narration and audiobooks. Read its excluded uses and its "
    "training clause, then confirm it.",
    "not allowed": f"The {CONTRACT} does not allow narration and audiobooks.",
}
PROVIDERS = {PROVIDER: "", "other": f"The {CONTRACT} does not allow {LABEL}."}
PARTIES = {COMPANY: "", "": f"The party of the {CONTRACT} is not confirmed. Confirm its terms."}
# The countries of the contract, with the countries of a voice that are not covered, as the sentence names them.
WORLD, GERMANY, BOTH = ("worldwide",), ("DE",), ("DE", "FR")
VOICE_COUNTRIES: tuple[tuple[str, ...], ...] = ((), WORLD, GERMANY, BOTH)
NOT_COVERED: dict[tuple[str, ...], dict[tuple[str, ...], str]] = {
    (): {},
    WORLD: {},
    GERMANY: {WORLD: "worldwide", BOTH: "in France and Germany"},
    BOTH: {WORLD: "worldwide"},
}
COUNTRY_NAMES = {GERMANY: "Germany", BOTH: "France and Germany"}
NO_COUNTRIES = f"The countries of the {CONTRACT} are not confirmed. Confirm its terms."
# Another contract of the talent, which allows nothing. The sentence is judged if the party of the first is COMPANY.
OTHER = f"The contract signed on {format_day(OTHER_SIGNED)}"
OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({}, ""),
    "exclusive": (
        {"exclusive": True, "company": OTHER_COMPANY},
        f"{OTHER} gives {OTHER_COMPANY} the exclusive use. Add a contract that replaces it.",
    ),
    "exclusive for this studio": ({"exclusive": True, "company": COMPANY.upper()}, ""),
    "exclusive and ended": ({"exclusive": True, "company": OTHER_COMPANY, "ends_on": TODAY - timedelta(days=1)}, ""),
    "exclusive without a party": (
        {"exclusive": True, "company": ""},
        f"{OTHER} is exclusive, and its party is not confirmed. Confirm its terms.",
    ),
    "not exclusive": ({"company": OTHER_COMPANY}, ""),
}


class ConsentTerms(NamedTuple):
    name: str
    company: str
    exceptions: tuple[str, ...]
    status: str = ConsentStatus.APPROVED
    broken_event: int | None = None


class ContractTerms(NamedTuple):
    provider: str
    purpose: str
    party: str
    countries: tuple[str, ...]
    is_suspended: bool = False
    file_problem: str = ""


CONSENTS: list[ConsentTerms | None] = [
    *starmap(ConsentTerms, product(NAMES, COMPANIES, EXCEPTIONS)),
    ConsentTerms(NAME, COMPANY, (), ConsentStatus.APPROVED, broken_event=3),
    ConsentTerms(NAME, COMPANY, (), ConsentStatus.SUSPENDED, broken_event=3),
    ConsentTerms(NAME, COMPANY, (), ConsentStatus.SUSPENDED),
    None,
]
# Only the company of a consent meets the other contract. The rest of a consent is combined without another contract.
CONSENTS_BESIDE_OTHERS = [ConsentTerms(NAME, company, ()) for company in COMPANIES] + CONSENTS[-4:]
CHANGED = "The file is not the one that was filed."
CONTRACTS = [
    *starmap(ContractTerms, product(PROVIDERS, PURPOSES, PARTIES, NOT_COVERED)),
    *starmap(ContractTerms, product(PROVIDERS, PURPOSES, [COMPANY], [WORLD, GERMANY], [True], ["", CHANGED])),
    *starmap(ContractTerms, product(PROVIDERS, PURPOSES, [COMPANY], [WORLD, GERMANY], [False], [CHANGED])),
    None,
]


def expect_consent_reasons(
    consent: ConsentTerms | None, contract: ContractTerms | None, language: str
) -> Iterator[str]:
    if consent is None:
        yield f"{NAME} has not been asked for consent to {LABEL} for narration and audiobooks."
        return
    if consent.status != ConsentStatus.APPROVED:
        yield f"{CONSENT} for narration and audiobooks is not in force: suspended."
    yield NAMES[consent.name]
    yield COMPANIES[consent.company] if contract and contract.party else ""
    yield NOT_GERMAN if language == "de-AT" and "de" not in consent.exceptions else ""
    if consent.broken_event:
        yield (
            "The audit log of this consent is damaged at entry 3. Ask an admin to restore it from the backup, then "
            "check it again on the page of the consent."
        )


def expect_contract_reasons(contract: ContractTerms, other: str) -> Iterator[str]:
    if contract.is_suspended:
        yield f"The {CONTRACT} is suspended: A dispute."
    yield PROVIDERS[contract.provider]
    yield PURPOSES[contract.purpose]
    yield PARTIES[contract.party]
    yield "" if contract.countries else NO_COUNTRIES
    if contract.file_problem:
        yield (
            f"The contract file is missing or was changed: {contract.file_problem} Ask an admin to restore the file of "
            f"the {CONTRACT}, then check it again on its page."
        )
    yield OTHERS[other][1] if contract.party or "without a party" in other else ""


def expect_voice_reasons(contract: ContractTerms, countries: tuple[str, ...]) -> Iterator[str]:
    if place := NOT_COVERED[contract.countries].get(countries):
        covered = COUNTRY_NAMES[contract.countries]
        yield (
            f"The voice is used {place}, but the {CONTRACT} covers only {covered}. Change the countries of the voice, "
            "or add another contract."
        )


class Rows:
    """Creates one talent for each combination of a consent, a contract and another contract, in bulk."""

    def __init__(self, producer: User) -> None:
        self.producer, self.statement = producer, make_statement()
        self.talents: list[Talent] = []
        self.consents: list[Consent] = []
        self.takes: list[Take] = []
        self.exceptions: list[LanguageException] = []
        self.contracts: list[Contract] = []
        self.confirmations: list[ContractConfirmation] = []
        self.suspensions: list[ContractSuspension] = []

    def add(self, consent: ConsentTerms | None, contract: ContractTerms | None, other: str) -> Talent:
        talent = Talent(name=NAME, created_by=self.producer)
        self.talents.append(talent)
        if consent:
            self._add_consent(talent, consent)
        if contract:
            purposes = [] if contract.purpose == "not allowed" else [Purpose.NARRATION]
            row = self._add_contract(
                talent, signed_on=SIGNED, starts_on=SIGNED, providers=[contract.provider], purposes=purposes,
                company=contract.party, countries=list(contract.countries), file_problem=contract.file_problem,
            )  # fmt: skip
            if contract.is_suspended:
                suspension = ContractSuspension(contract=row, suspended_by=self.producer, reason="A dispute.")
                self.suspensions.append(suspension)
            if contract.purpose == "confirmed":
                self.confirmations.append(
                    ContractConfirmation(contract=row, purpose=Purpose.NARRATION, confirmed_by=self.producer)
                )
        if other != "none":
            self._add_contract(talent, signed_on=OTHER_SIGNED, starts_on=OTHER_SIGNED, **OTHERS[other][0])
        return talent

    def _add_consent(self, talent: Talent, terms: ConsentTerms) -> None:
        now = timezone.now()
        consent = Consent(
            talent=talent, provider=PROVIDER, purpose=Purpose.NARRATION, statement=self.statement, language="en-US",
            company=terms.company, talent_name=terms.name, status=terms.status, requested_by=self.producer,
            approved_by=self.producer, approved_at=now, broken_event=terms.broken_event,
        )  # fmt: skip
        consent.take = Take(
            consent=consent, file="none.wav", sha256="0" * 64, size=1, capture=Capture.LINK, acceptable=True
        )
        self.consents.append(consent)
        self.takes.append(consent.take)
        self.exceptions += [
            LanguageException(consent=consent, language=language, reason="Bilingual.", allowed_by=self.producer)
            for language in terms.exceptions
        ]

    def _add_contract(self, talent: Talent, **fields: Any) -> Contract:
        contract = Contract(talent=talent, file="none.pdf", filed_by=self.producer, **fields)
        self.contracts.append(contract)
        return contract

    def save(self) -> None:
        Talent.objects.bulk_create(self.talents)
        Consent.objects.bulk_create(self.consents)
        Take.objects.bulk_create(self.takes)
        LanguageException.objects.bulk_create(self.exceptions)
        Contract.objects.bulk_create(self.contracts)
        ContractConfirmation.objects.bulk_create(self.confirmations)
        ContractSuspension.objects.bulk_create(self.suspensions)


def check_all(rows: Rows, talents: list[Talent]) -> dict[BuildPurpose, BuildPermission]:
    rows.save()
    subjects = [
        BuildPurpose(talent, PROVIDER, Purpose.NARRATION, language, countries)
        for talent, language, countries in product(talents, LANGUAGES, VOICE_COUNTRIES)
    ]
    return check_permissions(subjects, {PROVIDER: LABEL})


@pytest.fixture(autouse=True)
def fixed_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "localdate", lambda: TODAY)


@pytest.mark.parametrize("other", OTHERS)
def test_gate_gives_exactly_the_expected_reasons(producer: User, other: str) -> None:
    """Every third pair of a consent and a contract. tests/long checks all pairs."""
    check_pairs(producer, other, step=3)


def check_pairs(producer: User, other: str, step: int = 1) -> None:
    """The other contract allows nothing. With more than three reasons, it may fit better, and then it gives its own."""
    rows = Rows(producer)
    consents = CONSENTS if other == "none" else CONSENTS_BESIDE_OTHERS
    pairs = list(product(consents, CONTRACTS))[::step]
    cases = {rows.add(consent, contract, other): (consent, contract) for consent, contract in pairs}
    is_given = 0
    for subject, permission in check_all(rows, list(cases)).items():
        consent, contract = cases[subject.talent]
        if contract is None:
            assert not permission.is_given and permission.contract_reasons
            continue
        consent_reasons = tuple(filter(None, expect_consent_reasons(consent, contract, subject.language)))
        contract_reasons = tuple(filter(None, expect_contract_reasons(contract, other)))
        voice_reasons = tuple(expect_voice_reasons(contract, subject.countries))
        expected = consent_reasons, contract_reasons, voice_reasons
        actual = permission.consent_reasons, permission.contract_reasons, permission.voice_reasons
        assert actual == expected or (sum(map(len, expected)) > 3 and other != "none"), (consent, contract, subject)
        assert permission.is_given == (not any(expected))
        suspensions = [reason for reason in permission.reasons if "suspended" in reason]
        assert permission.is_held == (0 < len(suspensions) == len(permission.reasons))
        assert (permission.consent is None) == bool(permission.consent_reasons)
        assert (permission.contract is None) == bool(permission.contract_reasons or permission.voice_reasons)
        is_given += permission.is_given
    assert bool(is_given) == (not OTHERS[other][1])
