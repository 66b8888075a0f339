"""The waveform of what is recorded: bars that grow with the sound, and too loud ones drawn apart."""

from tests.support.scripts import run_script

MODULE = "js/recorder/live-wave.js"


def test_bars_grow_with_the_sound_and_keep_within_the_picture() -> None:
    heights = run_script(MODULE, "(peaks) => peaks.map(m.computeHeight)", [0, 0.001, 0.05, 0.3, 1, 1.5])
    assert heights == sorted(heights) and heights[0] == 1.5 and heights[-1] == heights[-2] == 30
    assert heights[2] > heights[1]


def test_too_loud_bars_are_drawn_apart_and_the_rest_is_still_to_come() -> None:
    drawn = run_script(MODULE, "() => m.drawWave([0.2, 1, 0.2])")
    counts = {name: path.count("M") for name, path in drawn.items()}
    assert counts == {"bars": 2, "loud": 1, "ahead": 57}
    assert drawn["loud"].startswith("M6 "), "in its own place"


def test_full_picture_moves_on_or_begins_anew_without_movement() -> None:
    code = """() => {
      const full = Array.from({ length: 60 }, (_, i) => i / 100);
      const lists = [false, true].map((isStill) => m.addBar(full, 1, isStill));
      return [...lists.map((list) => [list.length, list[0], list.at(-1)]), m.addBar([0.5], 1, true).length];
    }"""
    assert run_script(MODULE, code) == [[60, 0.01, 1], [1, 1, 1], 2]
