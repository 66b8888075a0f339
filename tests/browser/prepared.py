"""Talents with a contract and an approved consent, for tests that are about what comes after.

These functions run in the environment of the studio (`Studio.run_script`), with the services that its pages call. The
pages themselves are tested in test_consent.py, test_contract_form.py and test_keyboard.py.
"""

from pathlib import Path

from consent.models import Capture, Purpose, Talent
from consent.services.invitations import request_consent
from consent.services.takes import submit_take
from tests.consent.rows import ConsentFactory, make_upload
from tests.support.approval import approve_after_listening
from voicehub.models import User

PRODUCER = "paula"


def add_talent(name: str, email: str, providers: list[str]) -> Talent:
    """Add a talent whose contract allows narration at these providers."""
    rows = ConsentFactory(User.objects.get(username=PRODUCER))
    talent = rows.make_talent(name, email)
    rows.make_contract(talent, providers=providers)
    return talent


def approve_consent(talent: str, provider: str, statement: Path) -> None:
    """The talent's consent for narration at this provider, approved with the statement in a WAV file."""
    producer = User.objects.get(username=PRODUCER)
    consent = request_consent(Talent.objects.get(pk=talent), provider, "en-US", Purpose.NARRATION, producer)
    take = submit_take(consent, make_upload(statement.read_bytes()), Capture.LINK)
    consent.refresh_from_db()
    approve_after_listening(consent, take, producer)
