"""The tables and texts of an import: store them, and read them again for each match with the clips."""

from pathlib import Path

from audio.archives.read import TextFile
from audio.findings.findings import make_finding
from voicehub.storage import open_file, open_stored_file, private, store_local_file
from voicehub.upload_limits import TRANSCRIPT_TABLE_BYTES
from voices.models import ImportFile, ImportText
from voices.models.import_clips import make_text_path
from voices.models.imports import NAME_LENGTH

# A text of one clip is shorter. It is read from the row, so that matching 2,000 of them opens no file.
SMALL_BYTES = 8 << 10


def make_text(file: ImportFile) -> ImportText:
    """The unsaved row of a text that is a file of its own. A large one stays where the file is."""
    text = ImportText(file=file, name=file.name[-NAME_LENGTH:])
    if file.size > TRANSCRIPT_TABLE_BYTES:
        text.problem = make_finding("table_too_big", limit=TRANSCRIPT_TABLE_BYTES >> 20).text
    elif file.size <= SMALL_BYTES:
        with open_file(file.file) as stored:
            text.data = stored.read()
    else:
        text.content.name = file.file.name
    return text


def make_archive_text(file: ImportFile, found: TextFile) -> ImportText:
    """The unsaved row of a text in an archive."""
    text = ImportText(file=file, name=found.name[-NAME_LENGTH:], problem=found.problem)
    if found.path:
        _store_content(text, found.path)
    return text


def _store_content(text: ImportText, path: Path) -> None:
    if path.stat().st_size <= SMALL_BYTES:
        text.data = path.read_bytes()
    else:
        text.content.name = make_text_path(text, "")
        store_local_file(private(), path, text.content.name)


def load_text(text: ImportText) -> bytes:
    """Raises StoredFileLost if the storage does not have it anymore."""
    if not text.content:
        return bytes(text.data)
    with open_stored_file(text.content) as stored:
        return stored.read()
