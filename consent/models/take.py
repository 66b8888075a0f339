"""Takes, and the results of their checks."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.fields.files import FieldFile

from consent.models.choices import AddressCheck, Capture
from consent.models.consent import Consent
from consent.models.evidence import Evidence
from voicehub.json_fields import NUMBER, Fields, ListOf, Maybe, ShapedJSONField
from voicehub.json_shapes import FINDINGS, LEVELS, MEASURES, PEAKS
from voicehub.storage import private

WORD = Fields({"text": str, "state": str, "start": Maybe(NUMBER), "role": Maybe(str)})
STATEMENT = Fields(
    {
        "verdict": Maybe(str),
        "why": Maybe(str),
        "match": Maybe(NUMBER),
        "words": Maybe(ListOf(WORD)),
        "findings": Maybe(FINDINGS),
    }
)
SPEAKER = Fields({name: Maybe(NUMBER) for name in ("score", "threshold", "error_rate", "compared_with", "takes")})


def make_take_path(take: "Take", suffix: str) -> str:
    """A path made of ids. The file name from the browser is only displayed."""
    return f"takes/{take.consent_id}/{take.pk}{suffix}"


def take_path(take: "Take", _name: str) -> str:
    return make_take_path(take, ".wav" if take.acceptable and not take.wav else ".bin")


def take_wav_path(take: "Take", _name: str) -> str:
    return make_take_path(take, ".made.wav")


class Take(Evidence):
    """One recording of the statement: the original bytes, their hash, how the take was made, and the findings.

    `wav` is the 16-bit mono WAV converted from a file in another format, and `recipe` describes the conversion. Such a
    take is played, checked and sent as this WAV. The length, the levels and the peaks are those of the WAV.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="takes")
    file = models.FileField(storage=private, upload_to=take_path, max_length=200)
    file_name = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    capture = models.CharField(max_length=10, choices=Capture)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Staff who recorded or uploaded it; empty if the talent did.",
    )
    address_check = models.CharField(max_length=10, choices=AddressCheck, blank=True)
    wav = models.FileField(storage=private, upload_to=take_wav_path, max_length=200, blank=True)
    wav_sha256 = models.CharField(max_length=64, blank=True)
    recipe = ShapedJSONField(shape=Fields(), default=dict)
    sitting = models.UUIDField(
        null=True,
        editable=False,
        db_index=True,
        help_text="The same for all takes of one recording, if it is for several consents. Each has its own file.",
    )
    acceptable = models.BooleanField(help_text="It, or the WAV converted from it, can be sent to the provider.")
    seconds = models.FloatField(default=0)
    sample_rate = models.PositiveIntegerField(default=0)
    findings = ShapedJSONField(shape=FINDINGS, default=list)
    levels = ShapedJSONField(shape=LEVELS, default=dict)
    peaks = ShapedJSONField(shape=PEAKS, default=list)
    device = ShapedJSONField(
        shape=Fields(), default=dict, help_text="What the browser reported about the microphone and its processing."
    )
    user_agent = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        permissions = [("hear_take", "Can play and download recordings of consents")]
        indexes = [  # the same bytes are looked up before a take is stored
            models.Index(fields=["sha256"], name="take_by_hash"),
            models.Index(fields=["wav_sha256"], condition=~Q(wav_sha256=""), name="take_by_wav_hash"),
        ]

    def __str__(self) -> str:
        return f"Take of {self.consent}"

    @property
    def sound(self) -> FieldFile:
        """The WAV to play, check and send: the converted one if there is one, otherwise the original."""
        return self.wav or self.file

    @property
    def sound_sha256(self) -> str:
        return self.wav_sha256 or self.sha256

    @property
    def hashes(self) -> dict[str, Any]:
        """The SHA-256 of each of its files, for the audit log."""
        return {"sha256": self.sha256} | ({"wav_sha256": self.wav_sha256} if self.wav_sha256 else {})


class TakeCheck(models.Model):
    """Results of the background check of a take: automatic advice, stored separately from the evidence.

    `statement` and `speaker` are `StatementCheck.as_dict()` and `Match.as_dict()` of `audio`, or empty without a
    result. `checked_at` is empty while the check is pending. `error` says why there is no result. `file_problem` says
    what is wrong with the stored files since the take was received, and `file_checked_at` when they were last compared.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    take = models.OneToOneField(Take, models.PROTECT, related_name="check_made")
    measures = ShapedJSONField(shape=MEASURES, default=dict)
    findings = ShapedJSONField(shape=FINDINGS, default=list)
    fine_peaks = ShapedJSONField(shape=PEAKS, default=list)
    statement = ShapedJSONField(shape=STATEMENT, default=dict)
    speaker = ShapedJSONField(shape=SPEAKER, default=dict)
    error = models.CharField(max_length=300, blank=True)
    file_problem = models.CharField(max_length=200, blank=True)
    file_checked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Check of {self.take}"


class Pronunciation(models.Model):
    """How a name that is in no dictionary is pronounced, for the statement check."""

    name = models.CharField(max_length=80, unique=True, help_text="One word in its written form, such as Zyntrex.")
    sounds_like = models.CharField(max_length=120, help_text="Similar-sounding English words, such as “zin trecks”.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
