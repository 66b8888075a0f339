"""Length and waveform of previews, so that pages show both before a preview is played."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, BinaryIO

from audio.findings.thresholds import THRESHOLDS
from audio.ingest import ingest_audio
from audio.levels.inspection import DEFAULT_LIMITS
from audio.wav.convert import ConversionLimits
from voicehub.retry_policy import PREVIEW_MEASURE_INTERVAL
from voicehub.storage import StoredFileLost, open_stored_file
from voices.models import Preview, PreviewStatus

# A preview is a few sentences. A longer one can still be played, without its waveform.
SOUND_LIMITS = ConversionLimits(max_seconds=20 * 60.0, cpu_seconds=30, wall_seconds=60.0)
BATCH_SIZE = 20
UNREADABLE: dict[str, Any] = {"seconds": 0.0, "peaks": []}


def measure_sound(file: BinaryIO) -> dict[str, Any]:
    """`seconds` and `peaks` of a preview in any audio format. 0 seconds if it cannot be read."""
    with ingest_audio(file, DEFAULT_LIMITS, THRESHOLDS, SOUND_LIMITS) as result:
        fields = result.inspection.build_row_fields()
    return {name: fields[name] for name in UNREADABLE}


def measure_previews(extend_lease: Callable[[], object]) -> timedelta:
    """Measure some of the previews from before the upgrade. Returns after which time to look for more."""
    unmeasured = Preview.objects.filter(status=PreviewStatus.READY, seconds=None).order_by("-created_at", "pk")
    previews = list(unmeasured[:BATCH_SIZE])
    for preview in previews:
        extend_lease()
        Preview.objects.filter(pk=preview.pk).update(**_measure_preview(preview))
    return timedelta() if previews else PREVIEW_MEASURE_INTERVAL


def _measure_preview(preview: Preview) -> dict[str, Any]:
    try:
        with open_stored_file(preview.file) as file:
            return measure_sound(file)
    except StoredFileLost:
        return UNREADABLE
