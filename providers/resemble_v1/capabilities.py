"""Resemble AI, version 1 of its API: one tier, trained from one file behind a signed address.

What the page asks of every clip besides is so of all that VoiceHub keeps and packs: RIFF, PCM with 16 bits, mono, one
of five sampling rates; and files are named by letters and digits alone.
"""

from providers.types import Capabilities, ConsentProof, Handover, Limit, News, Report, Tier

PAGE = "resemble.ai/blog, Build Custom Neural Voices, 2020-09-01"
REFERENCE = "app.resemble.ai/docs, version 1"
READ = "2026-11-21"
RATES = "One of 8,000, 16,000, 22,050, 44,100 and 48,000 Hz; PCM with 16 bits, mono."
OF_CLIPS = "Of each clip in an archive. One raw WAV of everything may be as long as it is."

PROFESSIONAL = Capabilities(
    tier=Tier.PROFESSIONAL,
    label="Professional",
    summary="From one file: an archive of clips, with or without what is said in them, or one WAV of everything.",
    handover=(Handover.SIGNED_PUT_TEXTS, Handover.SIGNED_PUT_CLIPS, Handover.SIGNED_PUT_WAV),
    consent_proof=ConsentProof.OFFLINE,
    news=(News.CALLBACK, News.POLL),
    reports=(Report.VOICE_SCORES,),
    limits={
        "shortest_clip": Limit(1.5, "s", PAGE, READ, note=OF_CLIPS),
        "longest_clip": Limit(20, "s", PAGE, READ, note=OF_CLIPS),
        "least_recordings": Limit(
            50,
            "recordings",
            PAGE,
            READ,
            hard=False,
            note="“Minimum 50 audio clips recommended”, for archives.",
        ),
        "advised_seconds": Limit(
            600,
            "s",
            PAGE,
            READ,
            hard=False,
            note="“10+ minutes recommended for English, 1+ hours for other languages”, for one raw WAV.",
        ),
        "advised_seconds_other_languages": Limit(
            3600, "s", PAGE, READ, hard=False, note="For one raw WAV in any language but English."
        ),
        "lowest_rate": Limit(8000, "Hz", PAGE, READ, note=RATES),
        "highest_rate": Limit(48000, "Hz", PAGE, READ, note=RATES),
        "calls_per_second": Limit(10, "calls/s", REFERENCE, READ, hard=False, note="Of all calls of the account."),
    },
    poll_seconds=30,
    transcript_required=False,
    trains_again=False,
    can_find=True,
    can_list=True,
    can_rename=False,
    can_set_visibility=False,
    can_delete=False,
    can_preview=False,
    private_by_default=True,
    cost="not stated by the vendor",
    cautions=(
        "Resemble enables an account for this by hand: send it the talent's consent, as a video or the contract, by "
        "mail before the first build. No call carries the consent.",
        "A voice cannot be deleted or renamed by this API: a withdrawal has to be carried out on the vendor's site.",
        "No page says that a call tells how a training stands. Where the list of voices says nothing of it, a person "
        "who has looked at the vendor's site says when the voice is ready.",
        "The address that the file is sent to expires. If it does before everything is sent, the build fails, and the "
        "next one makes a new voice.",
    ),
)

TIERS = {Tier.PROFESSIONAL: PROFESSIONAL}
