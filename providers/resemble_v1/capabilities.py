"""Resemble AI, version 1 of its API: one tier, trained from one file behind a signed address.

Every clip that VoiceHub stores and packs meets the page's other requirements: RIFF, 16-bit PCM, mono, one of five
sampling rates, and file names of letters and digits only.
"""

from providers.rules import DataUse, Instructions
from providers.types import (
    Capabilities,
    ConsentProof,
    Handover,
    Limit,
    ReportContent,
    StatusUpdates,
    Tier,
)

PAGE = "resemble.ai/blog, Build Custom Neural Voices, 2020-09-01"
REFERENCE = "app.resemble.ai/docs, version 1"
READ_ON = "2026-11-21"
RATE_NOTE = "One of 8,000, 16,000, 22,050, 44,100 and 48,000 Hz; 16-bit PCM, mono."
CLIP_NOTE = "Applies to each clip in an archive. One raw WAV of all recordings may have any length."

DATA_USE = DataUse(
    countries=(),
    may_train=None,
    deletion_limits=(
        "The recordings are sent to a storage address of their own. Resemble AI does not say that they are deleted "
        "with the voice: the person who deletes the voice also asks the vendor's support to delete them."
    ),
    source=PAGE + ", which names neither",
    checked=READ_ON,
)

PROFESSIONAL = Capabilities(
    tier=Tier.PROFESSIONAL,
    label="Professional",
    summary="From one file: an archive of clips, with or without transcripts, or one WAV of all recordings.",
    handover=(Handover.SIGNED_PUT_TEXTS, Handover.SIGNED_PUT_CLIPS, Handover.SIGNED_PUT_WAV),
    consent_proof=ConsentProof.OFFLINE,
    status_updates=(StatusUpdates.CALLBACK, StatusUpdates.POLL),
    report_contents=(ReportContent.VOICE_SCORES,),
    limits={
        "shortest_clip": Limit(1.5, "s", PAGE, READ_ON, note=CLIP_NOTE),
        "longest_clip": Limit(20, "s", PAGE, READ_ON, note=CLIP_NOTE),
        "least_recordings": Limit(
            50,
            "recordings",
            PAGE,
            READ_ON,
            hard=False,
            note="“Minimum 50 audio clips recommended”, for archives.",
        ),
        "advised_seconds": Limit(
            600,
            "s",
            PAGE,
            READ_ON,
            hard=False,
            note="“10+ minutes recommended for English, 1+ hours for other languages”, for one raw WAV.",
        ),
        "advised_seconds_other_languages": Limit(
            3600, "s", PAGE, READ_ON, hard=False, note="For one raw WAV in any language but English."
        ),
        "lowest_rate": Limit(8000, "Hz", PAGE, READ_ON, note=RATE_NOTE),
        "highest_rate": Limit(48000, "Hz", PAGE, READ_ON, note=RATE_NOTE),
        "calls_per_second": Limit(
            10,
            "calls/s",
            REFERENCE,
            READ_ON,
            note="Applies to all calls of the account together. VoiceHub spaces the calls of all its workers.",
        ),
    },
    poll_seconds=30,
    requires_transcript=False,
    can_retrain=False,
    can_find=True,
    can_list=True,
    can_rename=False,
    can_set_visibility=False,
    can_delete=False,
    manual_deletion=Instructions(
        website="https://app.resemble.ai",
        steps=(
            "Sign in at app.resemble.ai with the team of this account and open the page Voices.",
            "Find the voice by the name below and delete it there.",
            "Ask Resemble AI's support to delete the uploaded recordings too. They were sent to a storage address of"
            " their own, and no page says that they are deleted with the voice.",
        ),
        source=PAGE + ", which names the voices page",
        checked=READ_ON,
    ),
    can_preview=False,
    is_private_by_default=True,
    cost="not stated by the vendor",
    cautions=(
        "Resemble AI enables an account for this manually: email it the talent's consent, as a video or the "
        "contract, before the first build. No call sends the consent.",
        "A voice cannot be deleted or renamed over this API: after a withdrawal, delete it on the vendor's site.",
        "Resemble AI documents no call that returns the training status. If the list of voices does not show it, a "
        "person checks the vendor's site and records when the voice is ready.",
        DATA_USE.deletion_limits,
        "The upload address expires. If it expires before the upload is complete, the build fails, and the next build "
        "makes a new voice.",
    ),
)

TIERS = {Tier.PROFESSIONAL: PROFESSIONAL}
