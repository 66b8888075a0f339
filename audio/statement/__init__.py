"""Checks word by word, offline and in English, whether a statement with its names was read."""

from audio.statement.align import AlignedWord, State
from audio.statement.check import MAX_CHECKED_SECONDS, StatementCheck, Verdict, check_statement

__all__ = ["MAX_CHECKED_SECONDS", "State", "StatementCheck", "Verdict", "AlignedWord", "check_statement"]
