"""Resemble AI, version 2 of its API.

The vendor's pages disagree on several limits; each limit here names its page, and an admin can override it.
"""

from dataclasses import replace

from providers.options import OptionKind, TierOption
from providers.rules import RetrainingEffect, Rule, StatedTime
from providers.types import Capabilities, ConsentProof, Handover, Limit, ReportContent, StatusUpdates, Tier

CREATE_PAGE = "docs.app.resemble.ai 2.0.0, Create a voice"
RECORDING_PAGE = "docs.app.resemble.ai 2.0.0, Create a recording"
REFERENCE_PAGE = "docs.resemble.ai, Recordings"
VOICE_PAGE = "docs.resemble.ai, Voices"
READ_ON = "2026-11-20"
READ_DAY = "November 20, 2026"
USAGE_READ_ON = "2026-11-28"

EMOTION = TierOption(
    name="emotion",
    label="Emotion",
    help="A label of the way the recording is spoken. Send recordings of one emotion with the same label.",
    kind=OptionKind.TEXT,
    default="neutral",
    source=RECORDING_PAGE,
    checked=READ_ON,
    max_length=64,
    # The labels in the vendor's examples. Any other text is accepted.
    choices=(("neutral", "Neutral"), ("happy", "Happy"), ("excited", "Excited")),
)
OPTIONS = (
    TierOption(
        name="description",
        label="Description",
        help="Shown with the voice at the provider. Do not name the talent.",
        kind=OptionKind.TEXT,
        default="",
        source=VOICE_PAGE + ", which states no length; 1,000 characters are our own limit",
        checked=READ_ON,
        max_length=1000,
    ),
    TierOption(
        name="fill",
        label="Train to fill gaps",
        help="Fill replaces words within a real recording. Recordings in a dataset cannot be marked for it.",
        kind=OptionKind.SWITCH,
        default=False,
        source=REFERENCE_PAGE + ", and “Build a voice” beside it",
        checked=READ_ON,
    ),
)

SHARED = {
    "shortest_clip": Limit(1, "s", RECORDING_PAGE, READ_ON),
    "longest_clip": Limit(60, "s", REFERENCE_PAGE, READ_ON),
    "trained_clip": Limit(
        12,
        "s",
        RECORDING_PAGE,
        READ_ON,
        hard=False,
        note="Longer recordings are accepted, but not used for training.",
    ),
    "longest_transcript": Limit(1024, "characters", RECORDING_PAGE, READ_ON),
    "longest_preview": Limit(
        2000,
        "characters",
        "docs.resemble.ai, Synchronous Text-to-Speech",
        USAGE_READ_ON,
        note="The vendor's OpenAPI file says 3,000 characters; the smaller is safe.",
    ),
    "calls_per_second": Limit(
        40,
        "calls/s",
        "docs.resemble.ai, Rate Limits",
        USAGE_READ_ON,
        note="“40 requests per second per API token”. VoiceHub spaces the calls of all its workers.",
    ),
}

RAPID = Capabilities(
    tier=Tier.RAPID,
    label="Rapid",
    summary="From a few recordings, ready in about a minute.",
    handover=(Handover.RECORDINGS, Handover.DATASET_URL),
    consent_proof=ConsentProof.BASE64_WAV,
    status_updates=(StatusUpdates.CALLBACK, StatusUpdates.POLL),
    report_contents=(ReportContent.VOICE_SCORES, ReportContent.RECORDING_SCORES),
    limits={
        **SHARED,
        "least_recordings": Limit(3, "recordings", CREATE_PAGE, READ_ON),
        "least_seconds": Limit(10, "s", CREATE_PAGE, READ_ON),
    },
    poll_seconds=5,
    requires_transcript=True,
    can_retrain=True,
    can_find=True,
    can_list=True,
    can_rename=True,
    can_set_visibility=False,
    can_delete=True,
    can_preview=True,
    can_report_usage=True,
    is_private_by_default=True,
    cost="billed per voice and month",
    expected_training=StatedTime("in under a minute", 60, CREATE_PAGE, READ_ON),
    options=OPTIONS,
    emotion=EMOTION,
    consent_exemption=f"“You must be an authorized uploader or provide consent” ({CREATE_PAGE}, read on {READ_DAY})",
    outlier_rule=Rule("a recording that is an outlier cannot be activated", REFERENCE_PAGE, READ_ON),
    retraining_effect=RetrainingEffect(
        meanwhile="Until it is ready, it cannot speak.",
        after_failure="If the training fails, the voice may stay unusable.",
        earlier_training="Whether the earlier training can still be used is not known: no page of Resemble AI says it.",
        source=f"{CREATE_PAGE}: a voice has one status. We conclude that it cannot speak until that is ready again; no"
        " page says what becomes of the earlier training",
        checked=READ_ON,
    ),
    cautions=(
        "Resemble AI does not state how many voices an account may have. A build that makes a new voice adds one.",
        "The recordings belong to the voice and are deleted with it. Resemble AI does not say whether the copy of a"
        " dataset, which it downloads itself, is deleted too.",
    ),
)

PROFESSIONAL = replace(
    RAPID,
    tier=Tier.PROFESSIONAL,
    label="Professional",
    summary="From at least ten minutes of recordings, ready in about 40 minutes.",
    limits={
        **SHARED,
        "least_recordings": Limit(20, "recordings", CREATE_PAGE, READ_ON),
        "least_seconds": Limit(600, "s", CREATE_PAGE, READ_ON),
    },
    poll_seconds=15,
    expected_training=StatedTime("around 40 minutes", 2400, CREATE_PAGE, READ_ON),
)

TIERS = {Tier.RAPID: RAPID, Tier.PROFESSIONAL: PROFESSIONAL}
