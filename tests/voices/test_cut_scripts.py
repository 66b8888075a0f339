"""What the page of the cuts does with clips, without a browser. Sound of 100 samples a second: a step is one sample."""

from typing import Any

import pytest

from tests.support.scripts import run_script

# Speech from 1 to 5 s, from 6 to 10 s, and from 14 to 18 s.
SOUND = {"rate": 100, "seconds": 20, "speech": [[1, 5], [6, 10], [14, 18]]}
CLIPS = "0.8 5.2\n5.8 10.2\n13.8 18.2"


def run(code: str, text: str = CLIPS, **values: Any) -> Any:
    """`state` and `sound` are ready for the code. Positions are samples."""
    source = f"""({{text, given, values}}) => {{
      const sound = m.makeSound(given);
      const state = m.makeState(m.readClips(text, sound), sound);
      return ({code})(state, sound, values);
    }}"""
    return run_script("js/cuts/clips.js", source, {"text": text, "given": SOUND, "values": values})


def list_clips(state: Any) -> list[list[int]]:
    return [[clip["start"], clip["end"]] for clip in state["clips"]]


def test_cuts_stand_in_the_middle_of_what_is_between_two_clips() -> None:
    state = run("(state) => state")
    assert state["cuts"] == [550, 1200] and list_clips(state) == [[80, 520], [580, 1020], [1380, 1820]]


@pytest.mark.parametrize(
    ("at", "end", "start"),
    [
        (560, 520, 580),  # in the pause: both clips keep 0.2 s of silence
        (510, 510, 580),  # closer to the speech before it
        (590, 520, 590),  # closer to the speech after it
        (450, 450, 450),  # in speech: nothing is left out
        (800, 800, 800),
        (0, 81, 81),  # not before the first clip
        (9999, 1019, 1019),
    ],
)
def test_moved_cut_leaves_out_only_silence(at: int, end: int, start: int) -> None:
    moved = run("(state, sound, {at}) => m.moveCut(state, 0, at, sound)", at=at)
    assert list_clips(moved) == [[80, end], [start, 1020], [1380, 1820]]


def test_cut_that_was_moved_back_has_its_clips_again() -> None:
    code = """(state, sound) => [300, 700, 550].reduce((one, at) => m.moveCut(one, 0, at, sound), state)"""
    assert run(code) == run("(state) => state")


def test_added_cut_splits_the_clip_and_removed_cut_joins_both() -> None:
    added = run("(state, sound) => m.addCut(state, 800, sound)")
    assert list_clips(added) == [[80, 520], [580, 800], [800, 1020], [1380, 1820]]
    assert added["cuts"] == [550, 800, 1200]
    code = "(state, sound, {at}) => m.addCut(state, at, sound)"
    assert [run(code, at=at) for at in (550, 80, 1020, 1900)] == [None] * 4, "outside of clips, and at their edges"
    removed = run("(state) => m.removeCut(state, 1)")
    assert list_clips(removed) == [[80, 520], [580, 1820]] and removed["cuts"] == [550]
    assert run("(state) => m.removeCut(state, 2)") is None


def test_speech_in_no_clip_is_a_clip_that_is_left_out() -> None:
    state = run("(state) => state", "0.8 5.2\n13.8 18.2")
    assert [clip["isLeftOut"] for clip in state["clips"]] == [False, True, False]
    assert list_clips(state)[1] == [580, 1020]
    code = "(state, sound) => [state, m.switchClip(state, 1)].map((one) => m.formatClips(one.clips, sound.rate))"
    left_out, included = run(code, "0.8 5.2\n13.8 18.2")
    assert left_out == "0.80 5.20\n13.80 18.20" and included == "0.80 5.20\n5.80 10.20\n13.80 18.20"


def test_joining_with_a_clip_that_is_left_out_includes_it() -> None:
    joined = run("(state) => m.removeCut(state, 0)", "0.8 5.2\n13.8 18.2")
    assert [clip["isLeftOut"] for clip in joined["clips"]] == [False, False] and list_clips(joined)[0] == [80, 1020]


@pytest.mark.parametrize("text", ["", "1 x", "5 3", "1 5\n4 8", "1 21"])
def test_clips_in_no_order_are_left_to_the_text_field(text: str) -> None:
    code = "({text, given}) => m.readClips(text, m.makeSound(given))"
    assert run_script("js/cuts/clips.js", code, {"text": text, "given": SOUND}) is None


def test_problems_are_those_of_the_server() -> None:
    code = """(state, sound) => [[0, 99], [0, 100], [0, 6000], [0, 6001]].map(([start, end]) =>
      m.findProblem({start, end, isLeftOut: false}, {shortest: 1, longest: 60}, sound.rate))"""
    assert run(code) == ["short", "", "", "long"]


def test_steps_of_one_move_are_undone_together() -> None:
    code = """(state) => {
      const history = new m.History(0);
      const changes = [[1, "move-1"], [2, "move-1"], [3, "move-2"], [4, ""], [5, ""]];
      for (const [value, key] of changes) history.change(value, key);
      history.endMove();
      history.change(6, "move-1");
      history.endMove();
      history.change(7, "move-1");
      const seen = [];
      while (history.canUndo) { seen.push(history.state); history.undo(); }
      return [...seen, history.state];
    }"""
    assert run(code) == [7, 6, 5, 4, 3, 2, 0]
