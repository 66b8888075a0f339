"""Finds the clips of an import, and the recordings of its voice, that a name in a table means."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from uuid import UUID

from audio.transcripts.names import NameIndex, get_file_name
from voices.models import Import, ImportClip, ImportClipState, ImportText, Recording
from voices.services.recordings.bulk.table_preview import RowIndex


class ClipNames:
    """Clips by their names."""

    def __init__(self, clips: Iterable[ImportClip]) -> None:
        self._clips: defaultdict[str, list[ImportClip]] = defaultdict(list)
        for clip in clips:
            self._clips[clip.name].append(clip)
        self.names = NameIndex(self._clips)

    def find(self, name: str) -> list[ImportClip]:
        return _prefer_usable([clip for found in self.names.find(name) for clip in self._clips[found]])

    def propose(self, name: str) -> list[ImportClip]:
        return _prefer_usable(self._clips.get(self.names.propose(name), []))


class ClipIndex:
    """The clips of an import. A table in an archive means first those of the archive."""

    def __init__(self, import_set: Import, clips: Sequence[ImportClip]) -> None:
        self.import_set = import_set
        self._all = ClipNames(clips)
        by_source: defaultdict[UUID, list[ImportClip]] = defaultdict(list)
        for clip in clips:
            if clip.position:  # only those in archives have one
                by_source[clip.source_id].append(clip)
        self._by_source = by_source
        self._archives: dict[UUID, ClipNames] = {}

    @cached_property
    def earlier(self) -> RowIndex:
        rows = Recording.objects.filter(voice=self.import_set.voice_id)
        return RowIndex(rows.only("file_name", "transcript").order_by("file_name", "pk"))

    def find(self, name: str, text: ImportText) -> list[ImportClip]:
        """The clips that this name means in a text. Several if they have the same name and other bytes."""
        own = self._get_archive(text.file_id)
        return (own.find(name) if own else []) or _prefer_near(self._all.find(name), text)

    def propose(self, name: str, text: ImportText) -> list[ImportClip]:
        """The clip that this name means if it has lost its leading zeros."""
        own = self._get_archive(text.file_id)
        return (own.propose(name) if own else []) or self._all.propose(name)

    def is_known(self, name: str) -> bool:
        return self._all.names.is_known(name) or self.earlier.is_known(name)

    def may_know(self, name: str) -> bool:
        """Whether a name means something, perhaps with its leading zeros put back."""
        return self.is_known(name) or bool(self._all.propose(name))

    def _get_archive(self, source: UUID) -> ClipNames | None:
        if source in self._by_source and source not in self._archives:
            self._archives[source] = ClipNames(self._by_source[source])
        return self._archives.get(source)


def _prefer_usable(clips: Sequence[ImportClip]) -> list[ImportClip]:
    """A file that was uploaded once more takes the place of the one that could not be used."""
    usable = [clip for clip in clips if clip.status != ImportClipState.REFUSED]
    return usable or list(clips)


def _prefer_near(clips: Sequence[ImportClip], text: ImportText) -> list[ImportClip]:
    """Of several clips with a name, those in the folder of the table, and else those that are in no archive."""
    if len(clips) < 2:
        return list(clips)
    folder = text.name[: -len(get_file_name(text.name))]
    loose = [clip for clip in clips if not clip.position]
    near = [clip for clip in loose if folder and clip.name.startswith(folder)]
    return near or loose or list(clips)


def have_same_bytes(clips: Sequence[ImportClip]) -> bool:
    return len({clip.sha256 for clip in clips}) == 1 and bool(clips[0].sha256)
