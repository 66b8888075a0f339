"""Small PDFs made by hand: a good one, and files that a reader must survive or refuse."""

import zlib
from collections.abc import Mapping
from functools import cache

CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>"


def make_stream(data: bytes = b"BT ET", entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


@cache
def make_pdf() -> bytes:
    """A PDF of one blank page (ISO 32000-1, annex H.2)."""
    return make_pdf_of({})


def make_pdf_of(changed: Mapping[int, bytes], trailer: bytes = b"", version: bytes = b"1.7") -> bytes:
    """The PDF of `make_pdf` with other or more objects, by number."""
    objects = {1: CATALOG, 2: PAGES, 3: PAGE, 4: make_stream()} | dict(changed)
    pdf, lines = b"%PDF-" + version + b"\n", []
    for number, content in sorted(objects.items()):
        lines.append(b"%d 1\n%010d 00000 n \n" % (number, len(pdf)))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"xref\n0 1\n0000000000 65535 f \n" + b"".join(lines)
    end = b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n"
    return pdf + table + end % (max(objects) + 1, trailer, len(pdf))


def make_pdf_with_pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(10, 10 + count))
    pages = dict.fromkeys(range(10, 10 + count), PAGE)
    return make_pdf_of({2: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count), **pages})


def make_catalog(entries: bytes) -> bytes:
    """A PDF whose catalog has these entries as well."""
    return make_pdf_of({1: CATALOG[:-2] + entries + b" >>"})


def make_deep_tree(depth: int) -> bytes:
    """A PDF with this number of nodes of the page tree above its only page."""
    nodes = {n: b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (n + 1) for n in range(10, 10 + depth)}
    return make_pdf_of({2: b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>", **nodes, 10 + depth: PAGE})


def make_bomb(unpacked: int, layers: int = 1) -> bytes:
    """A PDF whose page has a content of this many bytes, packed `layers` times."""
    data = b"\0" * unpacked
    for _ in range(layers):
        data = zlib.compress(data, 9)
    return make_pdf_of({4: make_stream(data, b"/Filter [%s]" % (b"/FlateDecode " * layers))})


def make_update(pdf: bytes, number: int, content: bytes) -> bytes:
    """The PDF with an incremental update of one object (ISO 32000-1, 7.5.6)."""
    previous = pdf.rindex(b"xref\n0 1\n")
    body = pdf + b"%d 0 obj\n%s\nendobj\n" % (number, content)
    return (
        body
        + b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size 5 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n"
        % (
            number,
            len(pdf),
            previous,
            len(body),
        )
    )


def make_table_loop() -> bytes:
    """A PDF whose cross-reference table names itself as the table before it."""
    pdf = make_pdf()
    return make_pdf_of({}, b"/Prev %d" % pdf.rindex(b"xref\n0 1\n"))
