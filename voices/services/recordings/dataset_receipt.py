"""The receipt beside the recordings of a downloaded voice: what they are, who took them, and what permitted it then.

It has no secret and no address, and the talent only by the ids of the consents and contracts.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import timezone

from audio.datasets.layouts import Layout
from consent.models import Consent, Contract
from voicehub.models import User
from voices.models import Recording, Voice

RECEIPT = "receipt.json"


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """A recording as a file of the archive: its path there, and the size and SHA-256 of that file."""

    recording: Recording
    path: str
    size: int
    sha256: str


def make_receipt(voice: Voice, by: User, layout: Layout, files: Iterable[ReceiptFile]) -> bytes:
    """The receipt as JSON in UTF-8."""
    described = [_describe_file(file) for file in files]
    receipt = {
        "voice": voice.name,
        "language": voice.language,
        "purpose": voice.purpose,
        "downloaded_at": timezone.now().isoformat(timespec="seconds"),
        "downloaded_by": str(by),
        "voicehub_version": read_version(),
        "layout": str(layout),
        "consents": _list_consents(voice),
        "contracts": _list_contracts(voice),
        "file_count": len(described),
        "files": described,
    }
    return json.dumps(receipt, ensure_ascii=False, indent=1).encode()


@cache
def read_version() -> str:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def _describe_file(file: ReceiptFile) -> dict[str, Any]:
    recording = file.recording
    return {
        "name": file.path,
        "original_name": recording.file_name,
        "bytes": file.size,
        "sha256": file.sha256,
        "seconds": recording.seconds,
        "sample_rate": recording.sample_rate,
        "in_builds": recording.active,
        "transcript_sha256": hashlib.sha256(recording.transcript.encode()).hexdigest(),
    }


def _list_consents(voice: Voice) -> list[dict[str, Any]]:
    consents = Consent.objects.in_force().filter(talent=voice.talent_id).order_by("created_at", "pk")
    return [
        {"id": str(one.pk), "provider": one.provider, "purpose": one.purpose, "last_day": _format_day(one.valid_until)}
        for one in consents
    ]


def _list_contracts(voice: Voice) -> list[dict[str, Any]]:
    contracts = Contract.objects.in_force().filter(talent=voice.talent_id).order_by("signed_on", "pk")
    return [
        {"id": str(one.pk), "providers": one.providers, "purposes": one.purposes, "last_day": _format_day(one.ends_on)}
        for one in contracts
    ]


def _format_day(day: date | None) -> str | None:
    return day.isoformat() if day else None
