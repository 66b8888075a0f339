"""Next steps about imports that were neither added nor discarded for a day."""

from collections.abc import Iterator

from django.urls import reverse

from voices.views.next_step import MAX_ROWS, NextStep, Talents, select_talents
from voices.views.open_imports import describe_import, query_waiting_imports


def list_import_steps(talents: Talents = None) -> Iterator[NextStep]:
    rows = select_talents(query_waiting_imports(), talents, "voice__talent").select_related("voice__talent", "by")
    for row in rows[:MAX_ROWS]:
        yield NextStep(
            row.voice.name,
            f"{row.voice.talent.shown_name}, import by {row.by}",
            "wait",
            "Import to review",
            (describe_import(row),),
            reverse("voices:import_detail", args=[row.pk]),
            "Review import",
            row.created_at,
            "voices.add_recording",
            subject_url=row.voice.get_absolute_url(),
            voice_id=row.voice_id,
            talent_id=row.voice.talent_id,
        )
