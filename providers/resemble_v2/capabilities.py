"""Resemble AI, version 2 of its API.

The vendor's pages disagree on several limits; each one here names its page, and an admin can override it.
"""

from dataclasses import replace

from providers.types import Capabilities, ConsentProof, Handover, Limit, News, Report, Tier

CREATE = "docs.app.resemble.ai 2.0.0, Create a voice"
RECORDING = "docs.app.resemble.ai 2.0.0, Create a recording"
REFERENCE = "docs.resemble.ai, Recordings"
READ = "2026-11-20"

SHARED = {
    "shortest_clip": Limit(1, "s", RECORDING, READ),
    "longest_clip": Limit(60, "s", REFERENCE, READ),
    "trained_clip": Limit(
        12,
        "s",
        RECORDING,
        READ,
        hard=False,
        note="Longer recordings are accepted, but not used for training.",
    ),
    "longest_transcript": Limit(1024, "characters", RECORDING, READ),
}

RAPID = Capabilities(
    tier=Tier.RAPID,
    label="Rapid",
    summary="From a few recordings, ready in about a minute.",
    handover=(Handover.RECORDINGS, Handover.DATASET_URL),
    consent_proof=ConsentProof.BASE64_WAV,
    news=(News.CALLBACK, News.POLL),
    reports=(Report.VOICE_SCORES, Report.RECORDING_SCORES),
    limits={
        **SHARED,
        "least_recordings": Limit(3, "recordings", CREATE, READ),
        "least_seconds": Limit(10, "s", CREATE, READ),
    },
    poll_seconds=5,
    transcript_required=True,
    trains_again=True,
    can_find=True,
    can_list=True,
    can_rename=True,
    can_set_visibility=False,
    can_delete=True,
    can_preview=True,
    private_by_default=True,
    cost="billed per voice and month",
)

PROFESSIONAL = replace(
    RAPID,
    tier=Tier.PROFESSIONAL,
    label="Professional",
    summary="From at least ten minutes of recordings, ready in about 40 minutes.",
    limits={
        **SHARED,
        "least_recordings": Limit(20, "recordings", CREATE, READ),
        "least_seconds": Limit(600, "s", CREATE, READ),
    },
    poll_seconds=15,
)

TIERS = {Tier.RAPID: RAPID, Tier.PROFESSIONAL: PROFESSIONAL}
