"""Store what a match of clips and texts found, and choose which of equal clips is added."""

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction

from voicehub.transitions import move_all
from voices.models import Import, ImportClip, ImportClipState, ImportLine, ImportText
from voices.services.imports.rows import lock_open
from voices.services.recordings.bulk.row_updates import update_rows

TEXT_RESULTS = (
    "kind", "problem", "line_count", "matched_count", "name_at", "text_at", "normalized_at", "is_certain", "samples"
)  # fmt: skip


def store_results(
    import_set: Import,
    clips: Sequence[ImportClip],
    texts: Sequence[ImportText],
    changed: Sequence[ImportClip],
    lines: Sequence[ImportLine],
) -> None:
    """Write the texts of the changed clips, the tables, and the lines that fit no clip, in one transaction."""
    kept, spare = _choose_twins(clips)
    with transaction.atomic():
        lock_open(import_set)
        update_rows(changed, ["text", "normalized_text", "in_builds"])
        update_rows(texts, TEXT_RESULTS)
        import_set.lines.all().delete()
        ImportLine.objects.bulk_create(lines, batch_size=1000)
        move_all(kept, ImportClipState.READY, twin=None)
        move_all(spare, ImportClipState.DUPLICATE)
        update_rows(spare, ["twin"])


def _choose_twins(clips: Sequence[ImportClip]) -> tuple[list[ImportClip], list[ImportClip]]:
    """Of equal clips, one with a text stays, or else any: those to add, and those to leave out.

    If there are several, it is the one that is ready, which a person may have chosen, and else the first one.
    """
    groups: defaultdict[str, list[ImportClip]] = defaultdict(list)
    for clip in clips:
        # A duplicate of a recording has no file. It stays one also after that recording was deleted.
        if clip.status != ImportClipState.REFUSED and clip.file:
            groups[clip.sha256].append(clip)
    kept, spare = [], []
    for same in groups.values():
        first = min(same, key=_rank_twin)
        if first.status != ImportClipState.READY:
            kept.append(first)
        for clip in same:
            if clip is not first and (clip.status != ImportClipState.DUPLICATE or clip.twin_id != first.pk):
                clip.twin = first
                spare.append(clip)
    return kept, spare


def _rank_twin(clip: ImportClip) -> tuple[bool, bool]:
    """The lowest one stays."""
    return not clip.text, clip.status != ImportClipState.READY
