"""Which files can be recorded as a proof that was sent by mail: a PDF, a picture, or a video."""

from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from audio.findings.findings import Finding
from consent.services.contracts import check_pdf
from voicehub.upload_limits import PROOF_BYTES

HEAD_BYTES = 1024
WRONG_KIND = "The file must be a PDF, PNG, JPEG, MP4, MOV or WebM. Save it in one of these formats and try again."
# The first bytes of each format that has such bytes (PNG, JPEG and Matroska specifications).
CONTENT_TYPES_BY_START = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x1aE\xdf\xa3": "video/webm",
}
SUFFIXES = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "video/webm": "webm",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
}


@dataclass(frozen=True, slots=True)
class ProofFile:
    """The content type that a file has by its bytes, or why it cannot be recorded as a proof."""

    content_type: str = ""
    warnings: tuple[Finding, ...] = ()
    problem: str = ""


def check_proof_file(file: "UploadedFile[Any]") -> ProofFile:
    """Check a document before it is stored. A limited child process opens a PDF; other files are not opened."""
    if not file.size:
        return ProofFile(problem="The file is empty. Choose another file.")
    if file.size > PROOF_BYTES:
        return ProofFile(problem=f"The file is larger than {PROOF_BYTES >> 20} MB. Make it smaller and try again.")
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if b"%PDF-" in head:
        check = check_pdf(file)
        return ProofFile("application/pdf", check.warnings, check.problem)
    content_type = _detect_content_type(head)
    return ProofFile(content_type) if content_type else ProofFile(problem=WRONG_KIND)


def _detect_content_type(head: bytes) -> str:
    """The content type of a picture or a video. Empty for any other file."""
    if head[4:8] == b"ftyp":  # ISO 14496-12; the brand follows
        return "video/quicktime" if head[8:10] == b"qt" else "video/mp4"
    return next((kind for start, kind in CONTENT_TYPES_BY_START.items() if head.startswith(start)), "")
