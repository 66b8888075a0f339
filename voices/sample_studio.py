"""The sample studio that a new installation starts with. Its builds are real builds in the sandbox.

It contains an account at each provider, two finished builds of one voice to compare, a build with bad recordings,
a consent to review, and an open invitation.
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

from consent.models import WORLDWIDE, Capture, Consent, Purpose, Take, Talent
from consent.services.contracts import file_contract
from consent.services.invitations import invite_talent, request_consent
from consent.services.notices import build_notice, store_notice
from consent.services.review import approve_consent
from consent.services.studio_notices import confirm_notice_read
from consent.services.takes import submit_take
from consent.services.voice_comparison import build_question, record_answer
from providers import registry
from providers.base import Provider
from providers.types import Handover, Tier
from voicehub.models import User
from voices.models import Account, AccountMode, Build, Voice
from voices.services.accounts import add_account
from voices.services.builds.gaps import GapKind
from voices.services.builds.offline_proof import ProofDetails, record_proof
from voices.services.builds.proof_files import check_proof_file
from voices.services.builds.readiness import check_readiness_everywhere
from voices.services.builds.start import start_build
from voices.services.previews import request_preview
from voices.services.recordings.store import add_recording, create_voice, set_active

FOLDER = settings.BASE_DIR / "sample"
PROVIDER, OTHER_PROVIDER = "resemble_v2", "resemble_v1"  # both require the same statement
SENTENCE = "The next tour begins at the main entrance in five minutes."
PEOPLE = {"paula": "producer", "ed": "engineer", "vera": "viewer", "ada": "admin"}
NO_LISTENER = "Sample data: approved by the program. No person has listened."
NO_PERSON = "Sample data: the voice is synthetic, so no person was asked."
BUILD_TIMEOUT = 90  # seconds
CHECK_TIMEOUT = 90  # seconds

WriteLine = Callable[[str], None]


class SampleFailed(Exception):
    """The sample studio could not be completed. The text says what the user can do."""


@dataclass(frozen=True, slots=True)
class SampleClip:
    """One file of the sample's manifest."""

    name: str
    set: str
    kind: str
    transcript: str

    def make_upload(self) -> SimpleUploadedFile:
        """Convert the file to a 16-bit WAV, as a studio would upload it."""
        samples, rate = soundfile.read(FOLDER / self.name, dtype="int16")
        wav = io.BytesIO()
        soundfile.write(wav, samples, rate, format="WAV", subtype="PCM_16")
        return SimpleUploadedFile(self.name.replace(".flac", ".wav"), wav.getvalue(), "audio/wav")


def list_clips(set_name: str, *kinds: str) -> Iterator[SampleClip]:
    for entry in json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8")):
        if entry["set"] == set_name and entry["kind"] in kinds:
            yield SampleClip(entry["file"], entry["set"], entry["kind"], entry["transcript"])


def make_sample_studio(write_line: WriteLine) -> None:
    """Create what does not exist yet of the sample studio.

    Raises SampleFailed if the sandbox or the worker does not respond.
    """
    if settings.HTTPS:
        raise SampleFailed("The sample studio is not created at an https address. Start with --no-sample.")
    paula = _create_users(write_line)
    accounts = {provider.slug: _get_or_create_account(provider) for provider in registry.list_providers()}
    if not Talent.objects.filter(name="Sally Lind").exists():
        write_line("Sally Lind: consents, contract, eight recordings and builds at two providers.")
        sally = _create_approved_talent("Sally Lind", "slt", paula, PROVIDER, OTHER_PROVIDER)
        _record_offline_proof(sally, accounts[OTHER_PROVIDER], paula)
        guide = _create_voice(sally, "Sally, museum guide", "slt", paula)
        first_build = start_build(guide, accounts[PROVIDER], Tier.RAPID, Handover.RECORDINGS, paula)
        archive = Handover.SIGNED_PUT_TEXTS
        second_build = start_build(guide, accounts[OTHER_PROVIDER], Tier.PROFESSIONAL, archive, paula)
        _wait_for_builds(first_build, second_build)
        first_build.remote_voice.refresh_from_db()
        request_preview(first_build.remote_voice, SENTENCE, paula)
    if not Talent.objects.filter(name="Rob Marsh").exists():
        write_line("Rob Marsh: a build with a silent recording and one by another speaker.")
        rob = _create_approved_talent("Rob Marsh", "rms", paula, PROVIDER)
        voice = _create_voice(rob, "Rob, station announcements", "rms", paula)
        _wait_for_builds(start_build(voice, accounts[PROVIDER], Tier.RAPID, Handover.RECORDINGS, paula))
    if not Talent.objects.filter(name="Alan Webb").exists():
        write_line("Alan Webb: a consent to review.")
        alan = _create_talent("Alan Webb", paula)
        _file_contract(alan, paula)
        clip = next(list_clips("awb", "consent"))
        consent = _request_consent(alan, PROVIDER, paula)
        store_notice(consent, build_notice(consent))
        submit_take(consent, clip.make_upload(), Capture.LINK)
    if not Talent.objects.filter(name="Kim Aldous").exists():
        write_line("Kim Aldous: an open invitation.")
        kim = _create_talent("Kim Aldous", paula)
        _file_contract(kim, paula)
        invite_talent([_request_consent(kim, PROVIDER, paula)], paula)


def _create_users(write_line: WriteLine) -> User:
    """Create one user per role. They share a random password, in a file that only its owner can read."""
    password = "-".join(secrets.token_hex(2) for _ in range(3))
    has_new_users = False
    for name, role in PEOPLE.items():
        if User.objects.filter(username=name).exists():
            continue
        has_new_users = True
        is_admin = role == "admin"
        user = User.objects.create_user(
            name, f"{name}@studio.example", password, first_name=name.title(), is_staff=is_admin, is_superuser=is_admin
        )
        user.groups.add(Group.objects.get(name=role))
    if has_new_users:
        sign_in_file = settings.DATA_DIR / "sign-ins.txt"
        sign_in_file.touch(mode=0o600)
        sign_in_file.write_text(
            "".join(f"{name:8}{role:10}{password}\n" for name, role in PEOPLE.items()), encoding="utf-8"
        )
        write_line("users with the roles producer, engineer, viewer and admin.")
    return User.objects.get(username="paula")


def _get_or_create_account(provider: type[Provider]) -> Account:
    account = Account.objects.filter(provider=provider.slug, mode=AccountMode.SANDBOX).first()
    key = f"sandbox-{secrets.token_hex(8)}"
    return account or add_account(f"Practice at {provider.label}", provider.slug, AccountMode.SANDBOX, key)


def _create_talent(name: str, by: User) -> Talent:
    return Talent.objects.create(name=name, email=f"{name.split()[0].lower()}@talent.example", created_by=by)


def _request_consent(talent: Talent, provider: str, by: User) -> Consent:
    return request_consent(talent, provider, "en-US", Purpose.NARRATION, by)


def _create_approved_talent(name: str, speaker: str, by: User, *providers: str) -> Talent:
    """Create a talent with a contract in force, and approved takes that were recorded in the studio."""
    talent = _create_talent(name, by)
    _file_contract(talent, by)
    recorder = User.objects.get(username="ed")
    clips = list_clips(speaker, "consent", "second_consent")  # a recording is for one provider only
    for provider, clip in zip(providers, clips, strict=False):
        consent = _request_consent(talent, provider, by)
        confirm_notice_read(consent, build_notice(consent), recorder)
        take = submit_take(consent, clip.make_upload(), Capture.IN_STUDIO, by=recorder)
        consent.refresh_from_db()
        _approve_sample(consent, take, by)
    record_answer(talent, build_question(talent), is_allowed=True, by=recorder, reason=NO_PERSON)
    return talent


def _approve_sample(consent: Consent, take: Take, by: User) -> None:
    """Approve without playing the take, because that would delay the start. The audit log says that no one listened."""
    played_at = take.created_at - timedelta(seconds=take.seconds)
    approve_consent(consent, take, by, played_at=played_at, reason=NO_LISTENER)


def _file_contract(talent: Talent, by: User) -> None:
    today = timezone.localdate()
    terms: dict[str, Any] = {
        "company": settings.VOICEHUB_COMPANY,
        "countries": [WORLDWIDE],
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
    lines = ["VOICE LICENSE (SAMPLE)", f"Talent: {talent.name}", f"Studio: {settings.VOICEHUB_COMPANY}"]
    file = SimpleUploadedFile(f"contract {talent.name}.pdf", make_sample_pdf([*lines, terms["intended_uses"]]))
    file_contract(talent, file, terms, by, are_uses_read=True)


def _record_offline_proof(talent: Talent, account: Account, by: User) -> None:
    """The proof that the other provider wants by mail. Its document is a sample, like the contract."""
    today = timezone.localdate()
    lines = ["PROOF OF CONSENT (SAMPLE)", f"Talent: {talent.name}", "Nothing was mailed: the provider is the sandbox."]
    file = SimpleUploadedFile(f"proof {talent.name}.pdf", make_sample_pdf(lines))
    details = ProofDetails(today - timedelta(days=6), "sandbox@voicehub.example", str(by), today - timedelta(days=5))
    consent = Consent.objects.in_force().get(talent=talent, provider=account.provider)
    record_proof(consent, account, file, check_proof_file(file), details, by)


def _create_voice(talent: Talent, name: str, speaker: str, by: User) -> Voice:
    voice = create_voice(talent, name, "en-US", Purpose.NARRATION, by)
    for clip in list_clips(speaker, "recording", "silent", "wrong_speaker"):
        recording, _new = add_recording(voice, clip.make_upload(), by, clip.transcript or "Room tone.")
        if clip.kind != "recording":
            # The sample shows what a provider reports about recordings that VoiceHub would leave out.
            set_active(recording, True)
    _wait_for_checks(voice)
    return voice


def _wait_for_checks(voice: Voice) -> None:
    deadline = time.monotonic() + CHECK_TIMEOUT
    while time.monotonic() < deadline:
        gaps = (gap for _, state in check_readiness_everywhere(voice) for gap in state.gaps)
        if not any(gap.kind in (GapKind.UNCHECKED, GapKind.CHECK_STOPPED) for gap in gaps):
            return
        voice.refresh_from_db()
        time.sleep(0.5)
    message = f"The recordings of {voice} were not checked within {CHECK_TIMEOUT} s."
    raise SampleFailed(f"{message} Start a worker, and try again.")


def _wait_for_builds(*builds: Build) -> None:
    deadline = time.monotonic() + BUILD_TIMEOUT
    while time.monotonic() < deadline:
        for build in builds:
            build.refresh_from_db(fields=["status"])
        if not any(build.is_active for build in builds):
            return
        time.sleep(0.5)
    message = f"The build of {builds[0].voice} did not end within {BUILD_TIMEOUT} s."
    raise SampleFailed(f"{message} Start a worker and the sandbox, and try again.")


def make_sample_pdf(lines: list[str]) -> bytes:
    """A one-page PDF with these lines (ISO 32000-1, annex H.2, with a cross-reference table)."""
    text = " T* ".join("(" + line.translate({40: "[", 41: "]", 92: "/"}) + ") Tj" for line in lines)
    stream = f"BT /F1 11 Tf 60 760 Td 18 TL {text} ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    pdf, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    reference_table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return pdf + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, reference_table, len(objects) + 1, len(pdf))
    )
