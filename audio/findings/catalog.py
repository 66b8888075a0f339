"""The codes of all findings with their texts. Each section of docs/findings.md has a file of its own, even if short."""

from audio.findings import (
    catalog_archive,
    catalog_child,
    catalog_convert,
    catalog_document,
    catalog_set,
    catalog_sound,
    catalog_statement,
    catalog_transcript,
    catalog_wav,
)

CODES = {
    **catalog_archive.CODES,
    **catalog_child.CODES,
    **catalog_convert.CODES,
    **catalog_document.CODES,
    **catalog_set.CODES,
    **catalog_sound.CODES,
    **catalog_statement.CODES,
    **catalog_transcript.CODES,
    **catalog_wav.CODES,
}
# The codes that leave a recording out of builds, in a few words each. The first one found is the reason shown.
EXCLUSION_LABELS = {
    "silent": "silent",
    "no_speech": "no speech",
    "other_speaker": "another speaker",
    "clipping": "clipped",
    "same_sound": "a copy of another recording",
}
