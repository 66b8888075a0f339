"""Checks word by word whether a take contains a statement and its names. Works offline, and only for English."""

from audio.statement.align import AlignedWord, State
from audio.statement.check import MAX_CHECKED_SECONDS, StatementCheck, Verdict, check_statement

__all__ = ["MAX_CHECKED_SECONDS", "State", "StatementCheck", "Verdict", "AlignedWord", "check_statement"]
