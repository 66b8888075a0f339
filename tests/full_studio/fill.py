"""Fills a database with the full studio."""

from collections.abc import Callable
from dataclasses import dataclass

from consent.models import Consent, ConsentStatus, Talent
from consent.services.legal_hold import set_hold
from consent.services.voice_comparison import build_question, record_answer
from tests.full_studio import office
from tests.full_studio.builds import BuildMaker, make_builds
from tests.full_studio.clock import act_ago
from tests.full_studio.consents import ConsentMaker
from tests.full_studio.contracts import make_contract
from tests.full_studio.imports import StudioImports, make_imports
from tests.full_studio.people import PEOPLE, Person
from tests.full_studio.recordings import make_sounds, make_voice
from voicehub.models import User
from voices.models import Account, Build, BuildStatus, Recording, Voice

BUILD_COUNT = 60
OTHER_VOICE = "Mei, character voices"


@dataclass(frozen=True, slots=True)
class FullStudio:
    accounts: dict[str, Account]
    compared: list[Build]
    imports: StudioImports


def fill_studio(make_person: Callable[..., User]) -> FullStudio:
    """Make all rows. `make_person` makes a user with a role."""
    producer = make_person("paula", "producer", last_name="Reyes")
    engineer = make_person("ed", "engineer", last_name="Novak")
    others = [make_person("vera", "viewer"), make_person("tom", "producer", last_name="Achterberg-Lindenthal")]
    maker = ConsentMaker(producer, engineer)
    accounts = office.make_accounts(producer)
    talents = [_make_talent(person, number, maker) for number, person in enumerate(PEOPLE)]
    sounds = make_sounds(talents[-1], engineer)
    voices = [
        make_voice(talent, name, count, sounds, engineer)
        for talent, person in zip(talents, PEOPLE, strict=True)
        for name, count in person.voices
    ]
    _remove_sounds(sounds)
    office.make_proofs(accounts["resemble_v1"], producer)
    built = [voice for voice in voices if voice.recordings.count() > 2]
    builds = make_builds(BuildMaker(accounts, producer, sounds), built, BUILD_COUNT)
    guide = next(voice for voice in voices if voice.name == "Sally, museum guide")
    compared = _make_compared(BuildMaker(accounts, producer, sounds), guide, len(builds))
    office.make_votes(compared, [producer, engineer, *others])
    maker.withdraw(Consent.objects.filter(talent__name="Kofi Mensah", status=ConsentStatus.APPROVED))
    office.make_deletions(producer)
    office.make_alerts()
    office.make_failed_tasks()
    set_hold(talents[7], producer, "A dispute about the sleep stories; the lawyers of both sides asked to keep all.")
    imports = make_imports(guide, next(voice for voice in voices if voice.name == OTHER_VOICE), producer, engineer)
    return FullStudio(accounts, compared, imports)


def _make_talent(person: Person, number: int, maker: ConsentMaker) -> Talent:
    days = 100.0 - 2.5 * number
    with act_ago(days=days + 10):
        talent = Talent.objects.create(
            name=person.name, email=person.email, language=person.language, notes=person.notes,
            created_by=maker.producer, phone="+49 40 5550 1234" if number % 3 == 0 else "",
        )  # fmt: skip
    make_contract(talent, person.contract, maker.producer)
    for text in person.consents:
        maker.make(talent, text, days)
    if number % 3 == 0 and person.consents:
        with act_ago(hours=20):
            record_answer(
                talent, build_question(talent), is_allowed=number % 2 == 0, by=maker.engineer, reason="By phone."
            )
    return talent


def _make_compared(maker: BuildMaker, voice: Voice, made: int) -> list[Build]:
    """Two builds of one voice at two providers, and one that needs work."""
    maker.made = made + 100
    maker.make(voice, "resemble_v2", "rapid", BuildStatus.DATASET_ISSUE, 6)
    ready = [
        maker.make(voice, "resemble_v2", "professional", BuildStatus.READY, 5),
        maker.make(voice, "resemble_v1", "professional", BuildStatus.READY, 4),
        maker.make(voice, "speechgen", "rapid", BuildStatus.READY, 3),
    ]
    maker.make(voice, "resemble_v2", "rapid", BuildStatus.DATASET_ISSUE, 1)
    return ready


def _remove_sounds(sounds: list[Recording]) -> None:
    """The voice of the sounds was only needed to analyze them. Its files stay: the copies play them."""
    voice = sounds[0].voice
    voice.recordings.all().delete()
    voice.delete()
