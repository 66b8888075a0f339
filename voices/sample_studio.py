"""The sample studio: what a newcomer finds, made by really running the flow against the sandbox.

It holds an account at each provider, two finished builds of one voice to compare, a build whose recordings need work,
a consent that waits for review, and an open invitation.
"""

import io
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import soundfile
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from consent.models import Capture, Consent, Purpose, Take, Talent
from consent.services.contracts import file_contract
from consent.services.invitations import invite_talent, request_consent
from consent.services.review import approve_consent
from consent.services.takes import submit_take
from providers import registry
from providers.base import Provider
from providers.types import Handover, Tier
from voicehub.models import User
from voices.models import Account, Build, Mode, Voice
from voices.services.accounts import add_account
from voices.services.builds.start import start_build
from voices.services.previews import request_preview
from voices.services.recordings.store import add_recording, create_voice

FOLDER = settings.BASE_DIR / "sample"
PROVIDER, OTHER_PROVIDER = "resemble_v2", "resemble_v1"  # both ask for the same words to be read
SENTENCE = "The next tour begins at the main entrance in five minutes."
PEOPLE = {"paula": "producer", "ed": "engineer", "vera": "viewer", "ada": "admin"}
NO_LISTENER = "A sample: the program put it in force, and no person has listened."
PATIENCE = 90  # seconds that a sample build may take

Say = Callable[[str], None]


class SampleFailed(Exception):
    """The sample studio could not be finished; the text says what to do."""


@dataclass(frozen=True, slots=True)
class SampleClip:
    """One file of the sample's manifest, decoded to the WAV that a studio would upload."""

    name: str
    set: str
    kind: str
    transcript: str

    def upload(self) -> SimpleUploadedFile:
        samples, rate = soundfile.read(FOLDER / self.name, dtype="int16")
        wav = io.BytesIO()
        soundfile.write(wav, samples, rate, format="WAV", subtype="PCM_16")
        return SimpleUploadedFile(self.name.replace(".flac", ".wav"), wav.getvalue(), "audio/wav")


def clips(of: str, *kinds: str) -> Iterator[SampleClip]:
    """The sample clips of one set, of these kinds."""
    for line in json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8")):
        if line["set"] == of and line["kind"] in kinds:
            yield SampleClip(line["file"], line["set"], line["kind"], line["transcript"])


def make(say: Say) -> None:
    """Make what is not there yet. Raises SampleFailed when the sandbox or the worker does not answer."""
    paula = _people(say)
    accounts = {provider.slug: _account(provider) for provider in registry.list_providers()}
    if not Talent.objects.filter(name="Sally Lind").exists():
        say("Sally Lind: consents, contract, eight recordings and builds at two providers.")
        sally = _permitted("Sally Lind", "slt", paula, PROVIDER, OTHER_PROVIDER)
        guide = _voice(sally, "Sally, museum guide", "slt", paula)
        first = start_build(guide, accounts[PROVIDER], Tier.RAPID, Handover.RECORDINGS, paula)
        archive = Handover.SIGNED_PUT_TEXTS
        other = start_build(guide, accounts[OTHER_PROVIDER], Tier.PROFESSIONAL, archive, paula)
        _wait_for(first, other)
        first.remote_voice.refresh_from_db()
        request_preview(first.remote_voice, SENTENCE, paula)
    if not Talent.objects.filter(name="Rob Marsh").exists():
        say("Rob Marsh: a build with a silent recording and one of somebody else.")
        rob = _permitted("Rob Marsh", "rms", paula, PROVIDER)
        voice = _voice(rob, "Rob, station announcements", "rms", paula)
        _wait_for(start_build(voice, accounts[PROVIDER], Tier.RAPID, Handover.RECORDINGS, paula))
    if not Talent.objects.filter(name="Alan Webb").exists():
        say("Alan Webb: a consent that waits for review.")
        alan = _talent("Alan Webb", paula)
        _file_contract(alan, paula)
        submit_take(_asked(alan, PROVIDER, paula), next(clips("awb", "consent")).upload(), Capture.LINK)
    if not Talent.objects.filter(name="Kim Aldous").exists():
        say("Kim Aldous: an invitation that is still open.")
        invite_talent([_asked(_talent("Kim Aldous", paula), PROVIDER, paula)], paula)


def _people(say: Say) -> User:
    """One person for each role, with one password that is made here and written where only the owner reads it."""
    password = "-".join(secrets.token_hex(2) for _ in range(3))
    made = False
    for name, role in PEOPLE.items():
        if User.objects.filter(username=name).exists():
            continue
        made = True
        is_admin = role == "admin"
        user = User.objects.create_user(
            name, f"{name}@studio.example", password, first_name=name.title(), is_staff=is_admin, is_superuser=is_admin
        )
        user.groups.add(Group.objects.get(name=role))
    if made:
        path = settings.DATA_DIR / "sign-ins.txt"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name:8}{role:10}{password}\n" for name, role in PEOPLE.items()), encoding="utf-8")
        say("Sign-ins for a producer, an engineer, a viewer and an admin.")
    return User.objects.get(username="paula")


def _account(provider: type[Provider]) -> Account:
    found = Account.objects.filter(provider=provider.slug, mode=Mode.SANDBOX).first()
    key = f"sandbox-{secrets.token_hex(8)}"
    return found or add_account(f"Practice at {provider.label}", provider.slug, Mode.SANDBOX, key)


def _talent(name: str, by: User) -> Talent:
    return Talent.objects.create(name=name, email=f"{name.split()[0].lower()}@talent.example", created_by=by)


def _asked(talent: Talent, provider: str, by: User) -> Consent:
    return request_consent(talent, provider, "en-US", Purpose.NARRATION, by)


def _permitted(name: str, speaker: str, by: User, *providers: str) -> Talent:
    """A talent whose statements were recorded in the studio and approved, with a contract in force."""
    talent = _talent(name, by)
    _file_contract(talent, by)
    recorder = User.objects.get(username="ed")
    for provider in providers:
        consent = _asked(talent, provider, by)
        take = submit_take(consent, next(clips(speaker, "consent")).upload(), Capture.IN_STUDIO, by=recorder)
        consent.refresh_from_db()
        _approve_sample(consent, take, by)
    return talent


def _approve_sample(consent: Consent, take: Take, by: User) -> None:
    """Approve without making a newcomer wait as long as the take lasts; the history says that it was no person."""
    as_if_played = take.created_at - timedelta(seconds=take.seconds)
    approve_consent(consent, take, by, played_at=as_if_played, reason=NO_LISTENER)


def _file_contract(talent: Talent, by: User) -> None:
    today = timezone.localdate()
    terms: dict[str, Any] = {
        "signed_on": today - timedelta(days=20),
        "starts_on": today - timedelta(days=14),
        "ends_on": today + timedelta(days=351),
        "purposes": [Purpose.NARRATION, Purpose.INTERNAL],
        "providers": [provider.slug for provider in registry.list_providers()],
        "intended_uses": "Audio guides and announcements for museums and railway stations, in English, up to 40 hours.",
        "excluded_uses": "Political messages, advertising, singing.",
        "compensation": "Session fee, and a fee for each year of use.",
        "representation": "Agent",
    }
    lines = ["VOICE LICENCE (SAMPLE)", f"Talent: {talent.name}", f"Studio: {settings.VOICEHUB_COMPANY}"]
    paper = SimpleUploadedFile(f"contract {talent.name}.pdf", sample_pdf([*lines, terms["intended_uses"]]))
    file_contract(talent, paper, terms, by)


def _voice(talent: Talent, name: str, speaker: str, by: User) -> Voice:
    voice = create_voice(talent, name, "en-US", Purpose.NARRATION, by)
    for clip in clips(speaker, "recording", "silent", "wrong_speaker"):
        add_recording(voice, clip.upload(), by, clip.transcript or "Room tone.")
    return voice


def _wait_for(*builds: Build) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for build in builds:
            build.refresh_from_db(fields=["status"])
        if not any(build.is_active for build in builds):
            return
        time.sleep(0.5)
    raise SampleFailed(f"The build of {builds[0].voice} did not end. Is a worker running, and the sandbox?")


def sample_pdf(lines: list[str]) -> bytes:
    """A one-page PDF with these lines (ISO 32000-1, annex H.2, with its own cross-reference table)."""
    text = " T* ".join("(" + line.translate({40: "[", 41: "]", 92: "/"}) + ") Tj" for line in lines)
    stream = f"BT /F1 11 Tf 60 760 Td 18 TL {text} ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, len(body))
    )
