"""The codes of all findings with their words, one table for each area."""

from voicehub.audio.codes import archive, child, convert, set, sound, speaker, statement, transcript, wav

CODES = {
    **archive.CODES,
    **child.CODES,
    **convert.CODES,
    **set.CODES,
    **sound.CODES,
    **speaker.CODES,
    **statement.CODES,
    **transcript.CODES,
    **wav.CODES,
}
