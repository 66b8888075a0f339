"""Was this statement, with these names, really read? Word by word, offline, in English."""

from voicehub.audio.statement.align import State, Word
from voicehub.audio.statement.check import StatementCheck, Verdict, check

__all__ = ["State", "StatementCheck", "Verdict", "Word", "check"]
