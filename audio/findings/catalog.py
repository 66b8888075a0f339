"""The codes of all findings with their words: a file, however short, for each section of docs/findings.md."""

from audio.findings import (
    catalog_archive,
    catalog_child,
    catalog_convert,
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
    **catalog_set.CODES,
    **catalog_sound.CODES,
    **catalog_statement.CODES,
    **catalog_transcript.CODES,
    **catalog_wav.CODES,
}
