"""AudioStack. Two tiers: its instant engine (voice_engine_3) and its standard one (voice_engine_2).

The numbers are from one table of the vendor's page. What the page does not say is noted at the limit or as a caution,
mainly where the consent file of the standard engine goes.
"""

from dataclasses import replace

from providers.options import OptionKind, TierOption
from providers.rules import DataUse, Instructions, StatedTime
from providers.types import (
    Capabilities,
    ConsentProof,
    Handover,
    Limit,
    ReportContent,
    StatusUpdates,
    Tier,
)

PAGE = "audiostack.com, How to Clone any Voice using AudioStack API"
READ_ON = "2026-11-21"

# The page says “10MB” and “500MB”, which may mean powers of two: the smaller reading is safe.
MEGABYTE = 1_000_000

VISIBILITY_CAUTION = (
    "Everyone in the AudioStack organization can access all uploaded files: use a separate organization for voices"
    " that not all of them may hear."
)
DELETION_CAUTION = (
    "A voice cannot be renamed or deleted over the API: a person does it with AudioStack's help. The uploaded files,"
    " the consent among them, are deleted over the API."
)
DELETION_INSTRUCTIONS = Instructions(
    website="https://platform.audiostack.ai",  # docs.audiostack.ai, How to Authenticate, read on 2026-11-30
    steps=(
        "Sign in to the AudioStack organization of this account.",
        "Look for the voice by the name below. If the website offers no deletion, ask AudioStack's support to delete it"
        " and to confirm it in writing.",
        "The uploaded files need no work by you: VoiceHub deletes them itself.",
    ),
    source=PAGE + ", which names no way to delete a cloned voice",
    checked=READ_ON,
)
GENDER = TierOption(
    name="gender",
    label="Gender of the voice",
    help="Listed with the voice at the provider. Sent only if you choose it: VoiceHub does not guess it.",
    kind=OptionKind.CHOICE,
    default="",
    source=PAGE + ", whose example sends “female”; the other value is our own reading",
    checked=READ_ON,
    choices=(("", "Not stated"), ("female", "Female"), ("male", "Male")),
)
SHORTEST_CLIP = Limit(1.5, "s", PAGE, READ_ON)

DATA_USE = DataUse(
    countries=(),
    may_train=None,
    deletion_limits="",
    source=PAGE + ", which names neither",
    checked=READ_ON,
)

INSTANT = Capabilities(
    tier=Tier.RAPID,
    label="Instant",
    summary=(
        "From a few minutes of recordings, ready at once. Speaks several languages, takes no SSML, and needs about 20"
        " seconds for 500 characters."
    ),
    handover=(Handover.FILE_IDS,),
    consent_proof=ConsentProof.NONE,
    status_updates=(StatusUpdates.POLL,),
    report_contents=(ReportContent.DISCARDED_FILES,),
    limits={
        "shortest_clip": SHORTEST_CLIP,
        "most_recordings": Limit(25, "recordings", PAGE, READ_ON),
        "least_seconds": Limit(1.5, "s", PAGE, READ_ON),
        "advised_seconds": Limit(
            120, "s", PAGE, READ_ON, hard=False, note="“Just a few minutes of recordings”; more is better."
        ),
        "most_bytes": Limit(10 * MEGABYTE, "bytes", PAGE, READ_ON),
    },
    poll_seconds=5,
    requires_transcript=False,
    can_retrain=False,
    # VoiceHub chooses the alias, which is globally unique. If a lookup by alias finds no voice, none was created.
    can_find=True,
    # GET /speech/voice lists AudioStack's whole catalog, without a documented sign of an account's own voices.
    can_list=False,
    can_rename=False,
    can_set_visibility=False,
    can_delete=False,
    can_delete_files=True,
    can_report_usage=True,
    manual_deletion=DELETION_INSTRUCTIONS,
    can_preview=True,
    is_private_by_default=True,
    cost="300 credits when the voice has succeeded",
    credits=300,
    expected_training=StatedTime("instantly", None, PAGE, READ_ON),
    options=(GENDER,),
    cautions=(
        VISIBILITY_CAUTION,
        "AudioStack requires no proof of consent here: the studio alone is responsible for the person's consent.",
        DELETION_CAUTION,
    ),
)

STANDARD = replace(
    INSTANT,
    tier=Tier.PROFESSIONAL,
    label="Standard",
    summary=(
        "From at least 20 minutes of recordings, ready in up to a few hours. Speaks one language, takes SSML, and needs"
        " about 4 seconds for 500 characters."
    ),
    consent_proof=ConsentProof.AUDIO_FILE,
    limits={
        "shortest_clip": SHORTEST_CLIP,
        "most_recordings": Limit(
            500, "recordings", PAGE, READ_ON, note="The page does not say whether the consent file is one of them."
        ),
        "least_seconds": Limit(1200, "s", PAGE, READ_ON),
        "advised_seconds_other_languages": Limit(
            2700, "s", PAGE, READ_ON, hard=False, note="For voices that do not speak English; 20 minutes for English."
        ),
        "most_bytes": Limit(500 * MEGABYTE, "bytes", PAGE, READ_ON),
    },
    poll_seconds=60,
    cost="1200 credits when the voice has succeeded",
    credits=1200,
    expected_training=StatedTime("typically up to few hours", None, PAGE, READ_ON),
    cautions=(
        VISIBILITY_CAUTION,
        "AudioStack requires an audio file in which the speaker agrees to be cloned by AudioStack, and does not say"
        " where it goes. VoiceHub uploads it like a recording and puts it last in the list of files. This is a guess of"
        " ours.",
        "AudioStack's newer pages no longer list this engine (voice_engine_2); it may be refused.",
        DELETION_CAUTION,
    ),
)

TIERS = {Tier.RAPID: INSTANT, Tier.PROFESSIONAL: STANDARD}
