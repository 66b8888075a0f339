"""Was this statement, with these names, really read? Word by word, offline, in English."""

from audio.statement.align import AlignedWord, State
from audio.statement.check import JUDGED_SECONDS, StatementCheck, Verdict, check

__all__ = ["JUDGED_SECONDS", "State", "StatementCheck", "Verdict", "AlignedWord", "check"]
