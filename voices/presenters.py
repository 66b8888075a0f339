"""How an account, or a voice at its provider, stands: the colour and the words that every page has for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from audio.datasets.concatenate import GAP_SECONDS
from providers import registry
from providers.types import Capabilities, Encoding, Handover, Tier
from voicehub.refusals import NotPossible
from voicehub.text import clock, some
from voicehub.tokens import digest
from voices.models import Account, Build, BuildStatus, Preview, PreviewStatus, Recording, RemoteVoice
from voices.models.build import ACTIVE
from voices.services.builds.readiness import Lacks
from voices.services.previews import reasons_against_preview


@dataclass(frozen=True, slots=True)
class Standing:
    tone: str
    word: str


def of_account(account: Account) -> Standing:
    if account.paused_at:
        return Standing("wait" if account.paused_by_id else "bad", "Paused")
    if account.last_error:
        return Standing("bad", "Not working")
    return Standing("good", "Working") if account.checked_at else Standing("over", "Never tested")


def of_remote(remote: RemoteVoice) -> Standing:
    """In our words; what the provider calls it stands beside. Its builds should be fetched (`access.remote_voices`)."""
    statuses = {BuildStatus(build.status) for build in remote.builds.all()}
    moving = [status for status in ACTIVE if status in statuses]
    if remote.deleted_at:
        return Standing("over", "Deleted")
    if remote.delete_asked_at:
        return Standing("busy", "Being deleted")
    if moving:
        return Standing("busy", moving[0].label)
    if not remote.remote_id:
        return Standing("over", "Was not made")
    if remote.adopted_by_id:
        return Standing("good", "Adopted")
    if BuildStatus.READY in statuses:
        return Standing("good", "Ready")
    return Standing("over", "Not usable")


def kind(remote: RemoteVoice) -> str:
    """What its provider calls this kind of voice, such as "Clone"; our own word where we do not know it any more."""
    known = can(remote)
    return known.label if known else remote.tier.capitalize()


ARCHIVES = {
    Handover.SIGNED_PUT_TEXTS: "One archive (.tar.gz) with their transcripts",
    Handover.SIGNED_PUT_CLIPS: "One archive (.tar.gz) without transcripts",
}
ENCODINGS = {Encoding.WAV: "WAV", Encoding.MP3: "MP3"}


def handed_over(build: Build, count: int, seconds: float) -> str:
    """“One MP3 of 0:41 minutes, made of these 4 recordings.” `seconds` is the speech of all of them."""
    way, those = Handover(build.handover), some(count, "recording", "recordings")
    if way in ARCHIVES:
        return f"{ARCHIVES[way]}, made of these {those}."
    if way == Handover.DATASET_URL and build.remote_voice.tier != Tier.RAPID:
        return f"One archive (.zip) with their transcripts, made of these {those}."
    if way in (Handover.ONE_FILE, Handover.SIGNED_PUT_WAV, Handover.DATASET_URL):
        whole = seconds + GAP_SECONDS * max(0, count - 1)
        kind = ENCODINGS[_encoding(build)] if way == Handover.ONE_FILE else "WAV"
        return f"One {kind} of {clock(whole)} minutes, made of these {those} with short silences between them."
    return f"{those.capitalize()}, one by one, each as the WAV that is heard here."


def _encoding(build: Build) -> Encoding:
    """As the provider takes it; WAV where we do not know it any more."""
    known = can(build.remote_voice)
    return known.encoding if known else Encoding.WAV


MENDED_BY = {
    Lacks.RECORDINGS: ("#upload", "Add recordings", "voices.add_recording"),
    Lacks.LENGTH: ("?show=usable&sort=shortest#recordings", "Show them", ""),
    Lacks.TRANSCRIPTS: ("?show=no_transcript#recordings", "Add transcripts", "voices.change_recording"),
    Lacks.SHORTER_TRANSCRIPTS: ("?show=usable#recordings", "Show them", ""),
    Lacks.TRAINED_LENGTH: ("?show=usable&sort=longest#recordings", "Show them", ""),
    Lacks.LANGUAGE: ("", "", ""),  # nothing here mends it
    Lacks.UNMARKED: ("?show=marked#recordings", "Show them", ""),
}


def stamp(build: Build) -> str:
    """Changes when something that pages show of a moving build does; times in words move on by the minute."""
    minute = int(timezone.now().timestamp() // 60)
    sent = (build.pk, build.status, build.done, build.total, build.doing)
    known = (build.looked_up, build.raw_status, build.word_unknown, build.remote_voice.account.paused_at)
    return digest(repr((*sent, *known, minute)))


def asks_a_person(build: Build) -> bool:
    """The answer was lost, and looking it up found nothing or is not possible: somebody can look and say."""
    if build.status != BuildStatus.UNCONFIRMED:
        return False
    return build.looked_up > 0 or not build.remote_voice.capabilities.can_find


def playable(recording: Recording) -> bool:
    """Only of what the strict reader took for sound there are levels, also where it is too long to be used."""
    return recording.usable or bool(recording.levels)


def tier_label(build: Build) -> str:
    """What the provider calls this kind of build, such as "Rapid"; our own word where we do not know it any more."""
    return kind(build.remote_voice)


def build_name(build: Build) -> str:
    """Where and what: "Resemble AI, rapid"; the tier is left out where the provider has one alone."""
    slug = build.remote_voice.account.provider
    one = slug in registry.PROVIDERS and len(registry.provider_class(slug).tiers) == 1
    return registry.label(slug) if one else f"{registry.label(slug)}, {tier_label(build).lower()}"


MOST = 50


@dataclass(frozen=True, slots=True)
class Spoken:
    """The previews of a voice, newest first, and why it may not speak now, if it may not."""

    rows: Sequence[Preview]
    reasons: Sequence[str]

    @property
    def moving(self) -> bool:
        return any(row.status in (PreviewStatus.WAITING, PreviewStatus.ASKING) for row in self.rows)

    @property
    def stamp(self) -> str:
        return digest(repr([(row.pk, row.status) for row in self.rows]))


def spoken(remote: RemoteVoice) -> Spoken:
    rows = list(remote.previews.select_related("asked_by").order_by("-created_at", "pk")[:MOST])
    return Spoken(rows, reasons_against_preview(remote) if can(remote) else ["VoiceHub does not know it."])


def can(remote: RemoteVoice) -> Capabilities | None:
    """What may be done with it over there; None where VoiceHub does not know its provider any more."""
    try:
        return remote.capabilities
    except NotPossible:
        return None
