"""The consents of the full studio: each state is reached by the services that reach it in the product."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
from django.utils import timezone

from audio.statement.align import State
from consent.models import Capture, Consent, Invitation, Take, TakeCheck, Talent
from consent.services.invitations import create_private_link, invite_talent, request_consent, void_consent
from consent.services.notices import build_notice
from consent.services.questions import answer_question, ask_question
from consent.services.reminders import remind_talent
from consent.services.review import (
    decline_consent,
    request_retake,
    suspend_consent,
    withdraw_consent,
)
from consent.services.sittings import record_ticks
from consent.services.take_checks import check_take
from consent.services.takes import submit_take
from tests.full_studio.clock import act_ago
from tests.support.approval import approve_after_listening
from tests.support.task_runner import run_due_tasks
from tests.support.wav import Samples, make_speech_like, make_wav_bytes
from voicehub.models import User
from voices.sample_studio import SampleClip, list_clips

MAIL_TASKS = ("send_invitation", "send_talent_mail", "send_reminder", "send_talent_change")
# Talents whose statement is spoken in sample/, by the name of the voice there.
SPOKEN = {"Sally Lind": "slt", "Rob Marsh": "rms", "Alan Webb": "awb"}
# How many days ago the open requests in these states were made. Others are as old as the talent.
DAYS_BY_STATE = {"asked": 9.0, "opened": 3.0, "review": 1.5, "late": 30.0, "retake": 6.0, "questions": 4.0}
QUESTION = "Does the library version count as a second use? My agent would like to know before I read the text."
ANSWER = "No. The library version is the same recording, and your contract covers both. Nothing changes for you."


@dataclass
class ConsentMaker:
    producer: User
    engineer: User
    made: int = 0
    spoken: set[str] = field(default_factory=set)

    def make(self, talent: Talent, text: str, days: float) -> None:
        """Make a request, and bring it into its state. `days` is since when the talent is known."""
        provider, purpose, state = text.split()
        days = DAYS_BY_STATE.get(state, days)
        with act_ago(days=days, hours=1):
            row = request_consent(talent, provider, "en-US", purpose, self.producer)
        getattr(self, f"_make_{state}")(row, days)

    def _invite(self, row: Consent, days: float) -> Invitation:
        with act_ago(days=days):
            if row.talent.email:
                invite_talent([row], self.producer)
            else:
                create_private_link([row], self.producer)
            run_due_tasks(*MAIL_TASKS)
        return row.invitations.latest("created_at")

    def _open(self, row: Consent, days: float) -> Invitation:
        link = self._invite(row, days)
        with act_ago(days=days - 0.2):
            Invitation.objects.filter(pk=link.pk).update(opened_at=timezone.now())
            record_ticks(link, [(row, build_notice(row))], [row.pk])
        return link

    def _read(self, row: Consent, days: float, *, name: str = "statement.wav") -> Take:
        """The talent reads the statement and sends it."""
        self._open(row, days)
        device = {"label": "MacBook Pro Microphone (Built-in)", "echoCancellation": False, "noiseSuppression": False}
        agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Safari/604.1"
        with act_ago(days=days - 0.3):
            upload = self._speak(row, name)
            take = submit_take(
                row, upload, Capture.LINK, device=device, user_agent=agent, address="192.0.2.17", address_check="code"
            )
            _check(take, is_real=name != "statement.wav")
            run_due_tasks(*MAIL_TASKS)
        row.refresh_from_db()
        return take

    def _speak(self, row: Consent, name: str) -> SimpleUploadedFile:
        if name != "statement.wav":
            clip: SampleClip = next(one for one in list_clips(SPOKEN[row.talent.name], "consent"))
            return clip.make_upload()
        self.made += 1
        return SimpleUploadedFile(name, make_wav_bytes(_make_statement_sound(self.made)), "audio/wav")

    def _make_asked(self, row: Consent, days: float) -> None:
        link = self._invite(row, days)
        if link.channel == Invitation.Channel.MAIL:
            with act_ago(days=2):
                remind_talent(link, self.producer)
                run_due_tasks(*MAIL_TASKS)

    def _make_opened(self, row: Consent, days: float) -> None:
        self._open(row, days)

    def _make_review(self, row: Consent, days: float) -> None:
        name = row.talent.name
        is_spoken = name in SPOKEN and name not in self.spoken
        self.spoken.add(name)
        self._read(row, days, name="spoken.wav" if is_spoken else "statement.wav")

    def _make_approved(self, row: Consent, days: float) -> None:
        take = self._read(row, days)
        with act_ago(days=days - 1):
            approve_after_listening(row, take, self.producer)
            run_due_tasks(*MAIL_TASKS)

    def _make_suspended(self, row: Consent, days: float) -> None:
        self._make_approved(row, days)
        with act_ago(days=8):
            suspend_consent(row, self.producer, "The agent disputes the use in commercials.")

    def _make_withdrawn(self, row: Consent, days: float) -> None:
        """Up to the approval: the withdrawal follows when the voices exist."""
        self._make_approved(row, days)

    def withdraw(self, rows: QuerySet[Consent]) -> None:
        for row in rows:
            with act_ago(days=1.2):
                withdraw_consent(row, None, "I no longer want my voice to be used by this provider.")

    def _make_declined(self, row: Consent, days: float) -> None:
        self._open(row, days)
        with act_ago(days=days - 2):
            decline_consent(row, None, "I do not read for phone lines.")
            run_due_tasks(*MAIL_TASKS)

    def _make_voided(self, row: Consent, days: float) -> None:
        self._invite(row, days)
        with act_ago(days=days - 3):
            void_consent(row, self.producer, "The client chose another voice.")

    def _make_expired(self, row: Consent, days: float) -> None:
        self._make_approved(row, days)
        Consent.objects.filter(pk=row.pk).update(valid_until=timezone.localdate() - timedelta(days=15))

    def _make_late(self, row: Consent, days: float) -> None:
        """Its link is past its last day, without an answer."""
        self._invite(row, days)

    def _make_retake(self, row: Consent, days: float) -> None:
        self._read(row, days)
        with act_ago(days=3):
            reason = "A door closes at the fourth second. Please read the text once more, in a quiet room."
            request_retake(row, self.producer, reason)
            run_due_tasks(*MAIL_TASKS)

    def _make_questions(self, row: Consent, days: float) -> None:
        link = self._open(row, days)
        with act_ago(days=3.5):
            answer_question(
                ask_question(link, row, "May I read it from my own studio?"), self.producer, "Yes, please do."
            )
        with act_ago(hours=5):
            ask_question(link, row, QUESTION)
            run_due_tasks(*MAIL_TASKS)


def _make_statement_sound(number: int) -> Samples:
    """A sound like speech, with syllables that are not all equally loud. Each number gives another."""
    sound = make_speech_like(6.0 + number % 5, pitch=90.0 + 2.3 * number, room_dbfs=-58.0 - number % 12)
    loudness = np.random.default_rng(number).uniform(0.15, 1.0, size=24)
    places = np.linspace(0, len(loudness) - 1, len(sound))
    return np.asarray(sound * np.interp(places, np.arange(len(loudness)), loudness))


def _check(take: Take, *, is_real: bool) -> None:
    """The checks of a spoken statement are real. Those of sounds like speech say that each word was recognized."""
    if is_real:
        check_take(str(take.pk))
        return
    words = take.consent.text.split()
    step = take.seconds / len(words)
    found = [
        {
            "text": word, "state": State.RECOGNIZED, "role": "text", "score": 0.9,
            "start": round(place * step, 2), "end": round((place + 1) * step, 2),
        }
        for place, word in enumerate(words)
    ]  # fmt: skip
    statement = {"verdict": "accept", "why": "", "match": 0.97, "words": found, "findings": []}
    TakeCheck.objects.filter(take=take).update(statement=statement, checked_at=timezone.now())
