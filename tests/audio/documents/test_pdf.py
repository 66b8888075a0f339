"""A PDF is opened in a limited child process: what cannot be opened is refused, and risky content is a warning."""

import contextlib
import io

import pytest
from pypdf import PdfReader, PdfWriter

from audio.documents.pdf import inspect_pdf
from audio.findings.findings import FileRefused, Severity
from audio.untrusted.runner import ChildLimits
from tests.support import pdfs


def list_warnings(pdf: bytes) -> list[str]:
    findings = inspect_pdf(io.BytesIO(pdf))
    assert all(finding.severity == Severity.WARNING for finding in findings)
    return [finding.code for finding in findings]


def get_refusal(pdf: bytes, limits: ChildLimits | None = None) -> str:
    with pytest.raises(FileRefused) as refused:
        inspect_pdf(io.BytesIO(pdf), limits or ChildLimits())
    assert refused.value.finding.severity == Severity.ERROR
    return refused.value.finding.code


def encrypt(password: str, algorithm: str) -> bytes:
    writer, file = PdfWriter(clone_from=PdfReader(io.BytesIO(pdfs.make_pdf()))), io.BytesIO()
    writer.encrypt(password, owner_password="owner", algorithm=algorithm)
    writer.write(file)
    return file.getvalue()


def write_with_pypdf(*, attached: bool = False) -> bytes:
    writer, file = PdfWriter(clone_from=PdfReader(io.BytesIO(pdfs.make_pdf()))), io.BytesIO()
    if attached:
        writer.add_attachment("terms.txt", b"Terms")
    writer.write(file)
    return file.getvalue()


# --- PDFs that are accepted -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "pdf",
    [
        pdfs.make_pdf(),
        pdfs.make_pdf_of({}, version=b"2.0"),
        pdfs.make_pdf_of({3: pdfs.PAGE.replace(b"/Contents 4 0 R", b"")}),
        pdfs.make_update(pdfs.make_pdf(), 4, pdfs.make_stream(b"BT (new) Tj ET")),
        pdfs.make_deep_tree(20),
        pdfs.make_bomb(1 << 20),
        b"\n\n" + pdfs.make_pdf(),
        write_with_pypdf(),
    ],
    ids=["plain", "2.0", "blank", "updated", "tree", "packed", "moved", "pypdf"],
)
def test_readable_pdf_is_accepted_without_warning(pdf: bytes) -> None:
    assert list_warnings(pdf) == []


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_encrypted_pdf_that_opens_without_password_is_accepted(algorithm: str) -> None:
    assert list_warnings(encrypt("", algorithm)) == []


def test_pdf_of_a_thousand_pages_is_opened_with_a_quarter_of_the_limits() -> None:
    limits = ChildLimits(cpu_seconds=5, memory_bytes=128 << 20)
    assert inspect_pdf(io.BytesIO(pdfs.make_pdf_with_pages(1000)), limits) == []


# --- PDFs that are refused ------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_pdf_that_needs_a_password_is_refused(algorithm: str) -> None:
    assert get_refusal(encrypt("secret", algorithm)) == "pdf_locked"


@pytest.mark.parametrize(
    ("pdf", "code"),
    [
        (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n", "pdf_broken"),
        (b"%PDF-1.4\n%%EOF", "pdf_broken"),
        (b"", "pdf_broken"),
        (b"\0" * 4000 + b"%%EOF", "pdf_broken"),
        (pdfs.make_pdf()[:200] + b"%%EOF", "pdf_broken"),
        (pdfs.make_pdf_of({3: pdfs.PAGE.replace(b"4 0 R", b"9 0 R")}), "pdf_broken"),
        (pdfs.make_pdf_of({2: b"<< /Type /Pages /Kids [] /Count 0 >>"}), "pdf_without_page"),
        (pdfs.make_pdf_of({2: b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"}), "pdf_broken"),
        (pdfs.make_pdf_of({1: pdfs.CATALOG[:-2] + b"/Names 5 0 R >>", 5: b"[" * 100_000}), "pdf_broken"),
        (pdfs.make_deep_tree(5000), "pdf_too_large"),
    ],
    ids=[
        "no-pages", "only-marks", "empty", "zeros", "cut", "lost-content", "no-kids", "loop", "nested",
        "deep-tree",
    ],
)  # fmt: skip
def test_pdf_that_cannot_be_opened_is_refused(pdf: bytes, code: str) -> None:
    assert get_refusal(pdf) == code


@pytest.mark.parametrize("layers", [1, 2])
def test_pdf_that_unpacks_to_a_huge_content_is_refused(layers: int) -> None:
    pdf = pdfs.make_bomb(100 << 20, layers)
    assert len(pdf) < 200_000
    assert get_refusal(pdf) == "pdf_too_large"


def test_loop_of_cross_reference_tables_ends() -> None:
    assert list_warnings(pdfs.make_table_loop()) == []


def test_pdf_that_uses_up_its_time_or_memory_is_refused() -> None:
    pdf = pdfs.make_pdf_with_pages(20_000)
    assert get_refusal(pdf, ChildLimits(cpu_seconds=1)) == "pdf_too_large"
    assert get_refusal(pdf, ChildLimits(memory_bytes=64 << 20)) == "pdf_broken"  # pypdf catches the MemoryError


@pytest.mark.parametrize("size", range(1, len(pdfs.make_pdf()), 37))
def test_cut_pdf_never_raises_another_error(size: int) -> None:
    with contextlib.suppress(FileRefused):
        list_warnings(pdfs.make_pdf()[:size])


# --- Warnings -------------------------------------------------------------------------------------

SCRIPT = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"


@pytest.mark.parametrize(
    ("pdf", "codes"),
    [
        (pdfs.make_catalog(b"/OpenAction " + SCRIPT), ["pdf_script", "pdf_action"]),
        (pdfs.make_catalog(b"/OpenAction << /S /Java#53cript /JS 4 0 R >>"), ["pdf_script", "pdf_action"]),
        (pdfs.make_catalog(b"/Names << /JavaScript << /Names [(a) " + SCRIPT + b"] >> >>"), ["pdf_script"]),
        (pdfs.make_catalog(b"/AA << /WC << /S /URI /URI (http://x.test) >> >>"), ["pdf_action"]),
        (pdfs.make_catalog(b"/OpenAction << /S /Launch /F (cmd.exe) >>"), ["pdf_action", "pdf_launch"]),
        (pdfs.make_catalog(b"/AcroForm << /Fields [] /XFA 4 0 R >>"), ["pdf_xfa"]),
        (pdfs.make_pdf_of({3: pdfs.PAGE[:-2] + b"/Annots [5 0 R] >>",
                           5: b"<< /Subtype /Link /A << /S /Launch /F (a) >> >>"}), ["pdf_launch"]),
        (write_with_pypdf(attached=True), ["pdf_attachment"]),
        (pdfs.make_catalog(b"/OpenAction [3 0 R /Fit]"), []),
        (pdfs.make_catalog(b"/OpenAction << /S /GoTo /D [3 0 R /Fit] >>"), []),
    ],
    ids=["open", "escaped", "names", "trigger", "launch", "xfa", "link", "attachment", "zoom", "goto"],
)  # fmt: skip
def test_risky_content_is_a_warning(pdf: bytes, codes: list[str]) -> None:
    assert list_warnings(pdf) == codes
