"""What was made of a build's recordings to hand them over, in words."""

from consent.services import NotPossible
from voicehub.audio.prepare.join import GAP_SECONDS
from voices import services
from voices.models import Build, Handover
from voices.providers.types import Encoding, Tier
from voices.services.readiness import clock, some

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
    try:
        return services.capabilities_of(build.remote_voice).encoding
    except NotPossible:
        return Encoding.WAV
