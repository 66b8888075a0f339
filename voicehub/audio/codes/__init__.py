"""The codes of all findings with their words, one table for each area."""

from voicehub.audio.codes import child, sound, statement, transcript, wav

CODES = {**wav.CODES, **sound.CODES, **statement.CODES, **child.CODES, **transcript.CODES}
