"""Speechgen. One tier: one file is sent, and a voice comes back.

The page is short: it states the limits of the file and the calls, and neither a price nor a rate nor a limit of voices.
"""

from providers.types import Capabilities, ConsentProof, Encoding, Handover, Limit, News, Tier

PAGE = "speechgen.app/api-docs, Voice Cloning"
READ = "2026-11-21"

CLONE = Capabilities(
    tier=Tier.RAPID,
    label="Clone",
    summary="From one file of 10 seconds to 5 minutes, ready in about a minute.",
    handover=(Handover.ONE_FILE,),
    consent_proof=ConsentProof.NONE,
    news=(News.POLL,),
    reports=(),
    limits={
        "least_seconds": Limit(10, "s", PAGE, READ),
        "advised_seconds": Limit(30, "s", PAGE, READ, hard=False, note="“At least 30 seconds for best quality”."),
        "most_seconds": Limit(300, "s", PAGE, READ),
        # The page says “10MB”, which may be 10,000,000 or 10,485,760 bytes: the smaller is safe.
        "most_bytes": Limit(10_000_000, "bytes", PAGE, READ),
    },
    poll_seconds=5,
    transcript_required=False,
    trains_again=False,
    # GET /models is named without its shape: what a list of one page lacks may be on the next.
    can_find=False,
    can_list=True,
    can_rename=False,
    can_set_visibility=False,
    can_delete=True,
    can_preview=True,
    # Not stated, so not promised.
    private_by_default=False,
    cost="not stated by the vendor",
    encoding=Encoding.MP3,
    cautions=(
        "Speechgen asks for no proof of consent: that this person agreed is for the studio alone to make sure.",
        "A voice cannot be renamed there, and cannot be trained again: each build makes a new one.",
        "When an answer is lost, only a person who looks at the vendor's site can say whether a voice was made.",
        "Nothing is said of who may use a voice; it is reached with the account's key.",
    ),
)

TIERS = {Tier.RAPID: CLONE}
