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
# The codes that leave a recording out of builds, the most severe first: the first one found is the reason shown.
EXCLUSION_CODES = ("silent", "no_speech", "other_speaker", "clipping", "same_sound")
