"""Numbers, counts and durations as people read them. Services use them too, so they are no template tags."""

import math


def format_count(count: int, one: str, many: str) -> str:
    """“1 recording is”, “3 recordings are”."""
    return f"{count} {one if count == 1 else many}"


def clock(seconds: float) -> str:
    """“9:12” for 551.2 seconds; what is missing is never told as less than it is."""
    whole = math.ceil(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def duration(seconds: float | None) -> str:
    """Seconds as people read them: 65 → "1:05", 3725 → "1:02:05", nothing → "–"."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
