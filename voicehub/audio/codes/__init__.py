"""The codes of all findings with their words, one table for each area."""

from voicehub.audio.codes import child, sound, transcript, wav

CODES = {**wav.CODES, **sound.CODES, **child.CODES, **transcript.CODES}
