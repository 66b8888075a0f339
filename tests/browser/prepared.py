"""Talents with a contract and an approved consent, and voices with recordings, for tests of what comes after.

These functions run in the environment of the studio (`Studio.run_script`), with the services that its pages call. The
pages themselves are tested in test_consent.py, test_contract_form.py, test_voices.py and test_keyboard.py.
"""

from pathlib import Path

from django.core.files.base import ContentFile
from django.db import transaction

from consent.models import Capture, Purpose, Talent
from consent.services.invitations import create_private_link, request_consent
from consent.services.takes import submit_take
from consent.services.voice_comparison import build_question, record_answer
from tests.browser import sound
from tests.consent.rows import ConsentFactory, make_upload
from tests.support.approval import approve_after_listening
from voicehub import outbox
from voicehub.models import User
from voices.models import Recording
from voices.services.recordings.figures import FIGURES
from voices.services.recordings.store import COMPARE_TASK, add_recording, create_voice

PRODUCER = "paula"
# What the analysis of a recording alone stores. It takes a second of processor time for each recording.
RESULTS = ("findings", "measures", "sound_features", "analyzed_at", "checked_at", *FIGURES)


def add_talent(name: str, email: str, providers: list[str]) -> Talent:
    """Add a talent whose contract allows narration at these providers."""
    rows = ConsentFactory(User.objects.get(username=PRODUCER))
    talent = rows.make_talent(name, email)
    rows.make_contract(talent, providers=providers)
    return talent


def approve_consent(talent: str, provider: str, statement: Path) -> None:
    """The talent's consent for narration at this provider, approved with the statement in a WAV file.

    The talent has allowed the voice comparison before, so that recordings of another speaker are found.
    """
    producer, row = User.objects.get(username=PRODUCER), Talent.objects.get(pk=talent)
    record_answer(row, build_question(row), is_allowed=True, by=producer, reason="The talent said so in the studio.")
    consent = request_consent(row, provider, "en-US", Purpose.NARRATION, producer)
    take = submit_take(consent, make_upload(statement.read_bytes()), Capture.LINK)
    consent.refresh_from_db()
    approve_after_listening(consent, take, producer)


def create_link(name: str, providers: list[str]) -> str:
    """The address of a private link to one request for each of these providers, of a new talent."""
    producer = User.objects.get(username=PRODUCER)
    talent = add_talent(name, "", providers)
    requests = [request_consent(talent, provider, "en-US", Purpose.NARRATION, producer) for provider in providers]
    return create_private_link(requests, producer)


def add_voice(talent: str, name: str, clips: list[str]) -> None:
    """Add a voice with these committed clips. A clip that the studio has analyzed before gets the results of then."""
    producer = User.objects.get(username=PRODUCER)
    with transaction.atomic():
        voice = create_voice(Talent.objects.get(pk=talent), name, "en-US", Purpose.NARRATION, producer)
        for clip in clips:
            file = ContentFile(sound.read_clip(clip), f"{clip}.wav")
            recording, _is_new = add_recording(voice, file, producer, sound.read_transcript(clip))
            _copy_results(recording)
        outbox.enqueue_task(COMPARE_TASK, voice.pk)


def _copy_results(recording: Recording) -> None:
    same = Recording.objects.filter(sha256=recording.sha256, transcript=recording.transcript)
    if results := same.filter(analyzed_at__isnull=False).values(*RESULTS).first():
        Recording.objects.filter(pk=recording.pk).update(**results)
