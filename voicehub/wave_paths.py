"""Waveforms as small drawings that need no library: an SVG path, or one digit for each bar."""

from collections.abc import Iterator, Sequence

LOUDEST_PEAK = 128
# Speech is seldom louder than a third of full scale. Its bars are drawn higher, in the same way everywhere.
WAVE_EXPONENT = 0.6
DIGIT_HEIGHT = 9  # of static/js/wave-path.js


def make_wave_path(peaks: Sequence[int], bars: int, height: int) -> str:
    """The waveform as one SVG path of vertical bars: "M.5 3v3m1-4.5v6". `peaks` are (lowest, highest) of -128..127.

    The view box is `bars` × `height`. Relative steps keep 27 bars at some 200 bytes. The next bar
    always starts above the end of the one before, so that its step needs no space.
    """
    path, end = "", 0.0
    for size in _list_sizes(peaks, bars, height):
        start = (height - size) / 2
        path += f"m1{start - end:g}v{size}" if path else f"M.5 {start:g}v{size}"
        end = start + size
    return path


def make_wave_digits(peaks: Sequence[int], bars: int) -> str:
    """The waveform as one digit for each bar. `wave-path.js` draws it: a page has many."""
    return "".join(map(str, _list_sizes(peaks, bars, DIGIT_HEIGHT)))


def _list_sizes(peaks: Sequence[int], bars: int, height: int) -> Iterator[int]:
    """The size of each bar, at least 1, so that silence is a line of dots."""
    pairs = len(peaks) // 2
    for bar in range(min(bars, pairs)):
        begin, end = bar * pairs // bars, (bar + 1) * pairs // bars
        loudest = max(map(abs, peaks[2 * begin : 2 * max(end, begin + 1)]), default=0)
        share = min(1.0, loudest / LOUDEST_PEAK) ** WAVE_EXPONENT
        yield max(1, round(share * (height - 1)))
