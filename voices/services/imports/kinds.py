"""What an uploaded file of an import is, by its name and its first bytes."""

from audio.archives.kinds import is_archive
from audio.archives.names import is_system_file
from audio.archives.sorting import START_BYTES, is_audio_start, is_side_file
from audio.transcripts.names import AUDIO_SUFFIX_PATTERN, TABLE_SUFFIXES
from voicehub.storage import open_file
from voices.models import ImportFile, ImportFileKind

HEAD_BYTES = 512


def is_plain_wav(name: str) -> bool:
    """Whether the name alone says that it is audio: a file named .wav is never taken for anything else."""
    return name.lower().endswith(".wav") and not is_side_file(name) and not is_system_file(name)


def read_kind(file: ImportFile) -> ImportFileKind:
    """Raises FileNotFoundError if the file is lost."""
    if is_plain_wav(file.name) and file.file.storage.exists(str(file.file.name)):
        return ImportFileKind.AUDIO
    with open_file(file.file) as stored:
        return find_kind(file.name, stored.read(HEAD_BYTES))


def find_kind(name: str, head: bytes) -> ImportFileKind:
    if is_side_file(name) or is_system_file(name):
        return ImportFileKind.SIDE
    if is_archive(name, head):
        return ImportFileKind.ARCHIVE
    if name.lower().endswith(TABLE_SUFFIXES):
        return ImportFileKind.TEXT
    if AUDIO_SUFFIX_PATTERN.search(name) or is_audio_start(head[:START_BYTES]):
        return ImportFileKind.AUDIO
    return ImportFileKind.OTHER
