"""The shapes of the results of audio checks, as both apps store them (see `audio.findings`, `audio.analysis`)."""

from voicehub.json_fields import NUMBER, Fields, ListOf, Maybe, PairOf

FINDINGS = ListOf(Fields({"severity": str, "code": str, "text": str, "advice": str, "at": Maybe(NUMBER)}))
PEAKS = ListOf(NUMBER)
SPANS = Maybe(ListOf(PairOf(NUMBER)))
REASONS = Maybe((list, dict))
"""Why something is missing: a list of reasons, or reasons by name."""

LEVELS = Fields({"clipped": SPANS, "pauses": SPANS}, others=NUMBER)
ESTIMATES = Fields({"missing": REASONS}, others=Maybe(NUMBER))
SOUND_FEATURES = Fields(
    {"content_hash": str, "fingerprint": str, "peak_dbfs": NUMBER, "rms_dbfs": NUMBER, "noise_floor_dbfs": NUMBER}
)
SPEAKER_RESULT = Fields({"similarity": Maybe(NUMBER), "voiced_seconds": NUMBER, "compared_with": NUMBER})
MEASURES = Fields(
    {
        "clipped_spans": SPANS,
        "pause_spans": SPANS,
        "speech_spans": SPANS,
        "missing": REASONS,
        "estimates": Maybe(ESTIMATES),
    },
    others=Maybe(NUMBER),
)
