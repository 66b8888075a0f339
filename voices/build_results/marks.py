"""What a provider said against a recording of a build."""

from voices.models import BuildRecording


def list_marks(row: BuildRecording) -> list[tuple[str, str]]:
    """The provider's marks on a recording, as (tone, label); the worst first."""
    marks = []
    if row.is_silent:
        marks.append(("bad", "Silent"))
    if row.is_outlier:
        marks.append(("wait", "Other speaker or sound"))
    if row.is_unused:
        marks.append(("over", "Not used"))
    return marks
