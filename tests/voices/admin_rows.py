"""Rows of every model that the admin lists, for tests of its lists and pages."""

from allauth.mfa.models import Authenticator
from django.utils import timezone

from consent.models import (
    AccessCode,
    Consent,
    ContractConfirmation,
    ContractDraft,
    ContractNotice,
    ContractSuspension,
    EventKind,
    Invitation,
    LanguageException,
    LanguageRelease,
    Pronunciation,
    Question,
    Statement,
    Take,
    TakeCheck,
    TakeSound,
    TalentChange,
    TalentMail,
)
from consent.services.audit_log import record_event
from consent.services.file_access import TALENT, OpenedFile, record_access
from consent.services.notices import build_notice, store_notice
from consent.services.voice_comparison import build_question, record_answer
from tests.voices.rows import Studio
from voicehub.models import (
    BrowserSession,
    SecurityEvent,
    SecurityEventKind,
    Task,
    TaskStatus,
    ThresholdOverride,
    User,
)
from voices.models import (
    Account,
    AccountCall,
    BlindVote,
    BuildRecording,
    BulkChange,
    Callback,
    CutProposal,
    DatasetDownload,
    DatasetFetch,
    Import,
    ImportClip,
    ImportFile,
    ImportLine,
    ImportPart,
    ImportText,
    LimitOverride,
    OfflineProof,
    Preview,
    Recording,
    RemoteFile,
    UsageReading,
    Voice,
    VoteChoice,
    WorkSample,
)


def make_rows(studio: Studio, numbers: range) -> None:
    """One row of every model for each number, and one more related row for each row of the first number."""
    for number in numbers:
        talent = studio.make_talent(f"Talent {number:02}")
        contract = studio.make_contract(talent)
        ContractDraft.objects.create(talent=talent, owner=studio.producer, file="none", file_name="draft.pdf", size=1)
        ContractNotice.objects.create(contract=contract, days=7, sent_to="producer@studio.test")
        ContractSuspension.objects.create(contract=contract, suspended_by=studio.producer, reason="A dispute.")
        consent = studio.make_consent(talent)
        _make_consent_rows(studio, consent, number)
        voice = studio.make_voice(f"Voice {number:02}", talent)
        studio.make_fileless_recordings(voice, 1)
        _make_build_rows(studio, voice, number)
        _make_staff_rows(studio, number)
        _make_release(studio, number)
        _relate_to_first(studio, number)
    assert ContractConfirmation.objects.exists()


def _make_release(studio: Studio, number: int) -> None:
    ended = {} if number < 5 else {"ended_at": timezone.now(), "ended_by": studio.producer}
    language = ("de", "fr", "es", "pt-br", "ja")[number % 5]
    LanguageRelease.objects.create(language=language, catalog_sha256="0" * 64, released_by=studio.producer, **ended)


def _make_consent_rows(studio: Studio, consent: Consent, number: int) -> None:
    LanguageException.objects.create(
        consent=consent, language="de", reason="Both are spoken.", allowed_by=studio.producer
    )
    store_notice(consent, build_notice(consent))
    take = Take.objects.filter(consent=consent).get()
    TakeCheck.objects.create(take=take, checked_at=timezone.now(), statement={"verdict": "review"})
    TakeSound.objects.get_or_create(take=take)
    question = build_question(consent.talent)
    record_answer(consent.talent, question, is_allowed=True, by=studio.producer, reason="On paper.")
    fields = {"sent_to": "talent@people.test", "token_digest": f"secret-digest-{number:02}"}
    invitation = Invitation.objects.create(talent=consent.talent, channel="mail", created_by=studio.producer, **fields)
    invitation.consents.add(consent)
    TalentMail.objects.create(consent=consent, kind="received", recipient="talent", **fields)
    _make_talent_rows(studio, invitation, consent)


def _make_talent_rows(studio: Studio, invitation: Invitation, consent: Consent) -> None:
    now, person = timezone.now(), studio.producer
    answer = {"answer": "Two minutes.", "answered_at": now, "answered_by": person}
    Question.objects.create(consent=consent, invitation=invitation, text="How long does it take?", **answer)
    TalentChange.objects.create(
        talent=consent.talent, is_email_changed=True, sent_to="earlier@people.test", changed_by=person, sent_at=now
    )
    AccessCode.objects.create(
        invitation=invitation, digest="secret-digest", sent_to=invitation.sent_to, expires_at=now, used_at=now
    )


def _make_build_rows(studio: Studio, voice: Voice, number: int) -> None:
    build = studio.make_build(voice, "failed", callback_digest=f"secret-digest-{number:02}")
    Callback.objects.create(build=build, body='{"status": "done"}', body_sha256=f"{number:064}")
    DatasetFetch.objects.create(build=build, address="192.0.2.1", user_agent="fetcher")
    preview = Preview.objects.create(
        remote_voice=build.remote_voice, build=build, text="Good morning.", requested_by=studio.producer
    )
    vote = BlindVote.objects.create(
        question=f"{number:032}", voter=studio.producer, choice=VoteChoice.SAMPLE, chosen=preview
    )
    vote.previews.add(preview)
    RemoteFile.objects.create(
        account=studio.account, remote_voice=build.remote_voice, kind="recording", remote_id=f"file-{number}",
        announced_at=timezone.now(), recording=voice.recordings.first(),
    )  # fmt: skip


def _make_staff_rows(studio: Studio, number: int) -> None:
    now = timezone.now()
    account = Account.objects.create(name=f"Account {number:02}", provider="voiceai", mode="sandbox")
    proof = {"content_type": "application/pdf", "sha256": "0" * 64, "size": 1, "file_name": "proof.pdf"}
    proof |= {"sent_on": now.date(), "sent_to": "support", "sent_by": "Paula"}
    consent = Consent.objects.latest("created_at")
    OfflineProof.objects.create(consent=consent, account=account, recorded_by=studio.producer, file="none", **proof)
    UsageReading.objects.create(account=account, day=now.date(), unit="credits", remaining=12.5, read_at=now)
    AccountCall.objects.create(account=account, at=now, operation="list_voices", status=200, response_text="{}")
    Task.objects.create(
        kind="k", object_id=str(number), status=TaskStatus.FAILED, finished_at=now, seen_by=studio.producer
    )
    user = User.objects.create_user(f"user-{number:02}")
    user.groups.set(studio.producer.groups.all())
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "secret-digest"})
    BrowserSession.objects.create(session_key=f"{number:040}", expire_date=now, user=user, started_at=now, seen_at=now)
    SecurityEvent.objects.create(kind=SecurityEventKind.SIGNED_IN, actor=user, actor_name=str(user))
    WorkSample.objects.create(kind="analysis", seconds=12.345678, finished_at=now)
    record_access(OpenedFile(consent.talent_id, "take", consent.pk, f"take {number:02}"), TALENT)
    DatasetDownload.objects.create(
        voice=Voice.objects.latest("created_at"), by=studio.producer, layout="ljspeech", recording_count=3, size=12345
    )
    recording = Recording.objects.filter(cut_proposal=None).latest("created_at")
    CutProposal.objects.create(recording=recording, requested_at=now)
    BulkChange.objects.create(voice=Voice.objects.latest("created_at"), by=studio.producer, kind="include")
    _make_import_rows(studio, number)
    ThresholdOverride.objects.create(name=f"threshold-{number}", value=0.5, reason="Measured.")
    LimitOverride.objects.create(provider="voiceai", tier="rapid", limit=f"limit_{number}", value=1, source="Support.")
    Pronunciation.objects.create(name=f"Zyntrex{number}", sounds_like="zin trecks")
    Statement.objects.create(
        provider="voiceai", language="fi", version=number + 1, text="Text.", source="A page.", source_date=now.date()
    )


def _make_import_rows(studio: Studio, number: int) -> None:
    import_set = Import.objects.create(voice=Voice.objects.latest("created_at"), by=studio.producer)
    file = ImportFile.objects.create(import_set=import_set, name=f"clips-{number:02}.zip", size=10, file="none")
    ImportPart.objects.create(file=file, start=0, size=10, content="none")
    ImportClip.objects.create(
        import_set=import_set, source=file, name=f"take-{number:02}.wav", status="ready", file="none"
    )
    text = ImportText.objects.create(file=file, name="metadata.csv", kind="table")
    ImportLine.objects.create(import_set=import_set, text_file=text, number=number, name="unknown", reason="unknown")


def _relate_to_first(studio: Studio, number: int) -> None:
    """A consent, an invitation, a build and a talent with more and more related rows."""
    first = Consent.objects.filter(talent__name="Talent 00").earliest("created_at")
    record_event(first, EventKind.OPENED, studio.producer)
    invitation = first.invitations.get()
    invitation.consents.add(Consent.objects.latest("created_at"))
    build = Voice.objects.get(name="Voice 00").builds.earliest("created_at")
    recording = Recording.objects.filter(voice__name=f"Voice {number:02}").first()
    assert recording
    BuildRecording.objects.get_or_create(build=build, recording=recording, defaults={"sha256": recording.sha256})
