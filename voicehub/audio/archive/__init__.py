"""Archives of recordings: parsed by readers of our own, in a child process with limits, and never unpacked by name."""

from voicehub.audio.archive.limits import ARCHIVE_LIMITS, ArchiveLimits
from voicehub.audio.archive.reading import Archive, Member, is_archive, read_archive

__all__ = ["ARCHIVE_LIMITS", "Archive", "ArchiveLimits", "Member", "is_archive", "read_archive"]
