"""Voice.ai: one kind of voice, made from one file.

The vendor's page recommends 10 to 60 seconds and states no hard limit. Both are hard limits here: less audio does not
make a good voice, and more audio does not make it better.
"""

from providers.rules import DataUse
from providers.types import Capabilities, ConsentProof, Encoding, Handover, Limit, StatusUpdates, Tier

CLONE_PAGE = "voice.ai/docs, Clone a voice"
READ_ON = "2026-11-21"

LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "pl", "ru", "nl", "sv", "ca")
"""The vendor's list of values for `language` (voice.ai/docs, API reference, Clone voice)."""

DATA_USE = DataUse(
    countries=(),
    may_train=None,
    deletion_limits=(
        "Deletion is soft: the voice can no longer be used, but the vendor does not say when its data is removed."
    ),
    source=CLONE_PAGE + ", which names neither",
    checked=READ_ON,
)

RAPID = Capabilities(
    tier=Tier.RAPID,
    label="Clone",
    summary="From 10 to 60 seconds of one speaker, ready within minutes.",
    handover=(Handover.ONE_FILE,),
    consent_proof=ConsentProof.NONE,
    status_updates=(StatusUpdates.POLL,),
    report_contents=(),
    limits={
        "least_seconds": Limit(
            10,
            "s",
            CLONE_PAGE,
            READ_ON,
            note="Recommended; the vendor does not say that it refuses less. VoiceHub does, as less is not enough.",
        ),
        "most_seconds": Limit(
            60,
            "s",
            CLONE_PAGE,
            READ_ON,
            note="Recommended; the vendor does not say that it refuses more. VoiceHub does, as more does not help.",
        ),
        "most_bytes": Limit(
            7_500_000,
            "bytes",
            CLONE_PAGE,
            READ_ON,
            note="“7.5MB”, read as millions of bytes. Only MP3 and WAV are in all of the page's lists of formats;"
            " VoiceHub sends WAV.",
        ),
    },
    poll_seconds=2,
    requires_transcript=False,
    can_retrain=False,
    can_find=True,
    can_list=True,
    can_rename=True,
    can_set_visibility=True,
    can_delete=True,
    can_preview=True,
    is_private_by_default=False,
    cost="in credits; the price is not published",
    encoding=Encoding.WAV,
    languages=LANGUAGES,
    cautions=(
        "A voice is public by default. VoiceHub always requests a private voice, and checks the result.",
        "The vendor requires no proof of consent: the only proof is VoiceHub's own consent and contract.",
        DATA_USE.deletion_limits,
        "The vendor's list of voices may include public voices of others, which cannot always be"
        " distinguished from the account's own.",
    ),
)

TIERS = {Tier.RAPID: RAPID}
