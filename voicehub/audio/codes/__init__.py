"""The codes of all findings with their words, one table for each area."""

from voicehub.audio.codes import archive, child, convert, sound, statement, transcript, wav

CODES = {
    **archive.CODES,
    **child.CODES,
    **convert.CODES,
    **sound.CODES,
    **statement.CODES,
    **transcript.CODES,
    **wav.CODES,
}
