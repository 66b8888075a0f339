"""Speechgen. One tier: one file makes one voice.

The vendor's page states the limits of the file and the calls, but no price, rate limit or maximum number of voices.
"""

from providers.options import OptionKind, TierOption
from providers.types import Capabilities, ConsentProof, Encoding, Handover, Limit, StatusUpdates, Tier

PAGE = "speechgen.app/api-docs, Voice Cloning"
READ_ON = "2026-11-21"

DESCRIPTION = TierOption(
    name="description",
    label="Description",
    help="Shown with the voice at the provider. Do not name the talent.",
    kind=OptionKind.TEXT,
    default="Made by VoiceHub",
    source=PAGE + ", which states no length; 500 characters are our own limit",
    checked=READ_ON,
    max_length=500,
)
ENHANCE_QUALITY = TierOption(
    name="enhance_quality",
    label="Enhance the quality",
    help="Asks the provider to improve the sound of the file. Its page does not say how.",
    kind=OptionKind.SWITCH,
    default=True,
    source=PAGE + ", whose examples switch it on",
    checked=READ_ON,
)

CLONE = Capabilities(
    tier=Tier.RAPID,
    label="Clone",
    summary="From one file of 10 seconds to 5 minutes, ready in about a minute.",
    handover=(Handover.ONE_FILE,),
    consent_proof=ConsentProof.NONE,
    status_updates=(StatusUpdates.POLL,),
    report_contents=(),
    limits={
        "least_seconds": Limit(10, "s", PAGE, READ_ON),
        "advised_seconds": Limit(30, "s", PAGE, READ_ON, hard=False, note="“At least 30 seconds for best quality”."),
        "most_seconds": Limit(300, "s", PAGE, READ_ON),
        # The page says “10MB”, which may be 10,000,000 or 10,485,760 bytes: the smaller is safe.
        "most_bytes": Limit(10_000_000, "bytes", PAGE, READ_ON),
    },
    poll_seconds=5,
    requires_transcript=False,
    can_retrain=False,
    # The response of GET /models is not documented: a voice missing from one page may be on the next.
    can_find=False,
    can_list=True,
    can_rename=False,
    can_set_visibility=False,
    can_delete=True,
    can_preview=True,
    # The vendor does not say who may use a voice, so VoiceHub does not promise that it is private.
    is_private_by_default=False,
    cost="not stated by the vendor",
    encoding=Encoding.MP3,
    options=(DESCRIPTION, ENHANCE_QUALITY),
    cautions=(
        "Speechgen requires no proof of consent: the studio alone is responsible for the person's consent.",
        "A voice cannot be renamed at Speechgen, and cannot be trained again: each build makes a new one.",
        "If a response is lost, a person must check the vendor's site to see whether a voice was created.",
        "Speechgen does not say whether the file that a voice was made from is deleted with the voice.",
        "Speechgen does not state who may use a voice; it is used with the account's key.",
    ),
)

TIERS = {Tier.RAPID: CLONE}
