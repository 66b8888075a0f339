"""What a service remembers of a submit, kept in memory, with a worker that can be killed at any line of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from providers.base import Provider
from providers.types import BuildReport, BuildSpec

Open = Callable[[], Provider]


class Killed(Exception):
    """The worker is gone, at this line of the journal."""


@dataclass
class Notes:
    """A Journal. It dies at line `dies_at` (from 1), just before or just after the line is kept.

    The line after the last one stands for what the service writes when a submit has come back. `then` hears of each
    step that was announced.
    """

    dies_at: int = 0
    keeps_last: bool = False
    lines: int = 0
    step: str = ""
    mark: str = ""
    remote_id: str = ""
    kept: str = ""
    sent: dict[str, tuple[str, str]] = field(default_factory=dict)
    clips: dict[str, str] = field(default_factory=dict)
    report: BuildReport | None = None
    then: Callable[[str], None] = lambda _step: None

    def before_call(self, step: str, mark: str = "") -> None:
        assert step in ("create", "build"), f"Nobody knows how to settle {step}"
        self._line(lambda: self._note(step, mark))
        self.then(step)

    def record_voice(self, remote_id: str) -> None:
        def keep() -> None:
            self.remote_id, self.step = remote_id, ""

        self._line(keep)

    def record_recording(self, key: str, remote_id: str) -> None:
        self._line(lambda: self.sent.update({key: (remote_id, self.clips[key])}))

    def save_resume_state(self, text: str) -> None:
        def keep() -> None:
            self.kept = text

        self._line(keep)

    def record_progress(self, doing: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        self._line(lambda: None)

    def came_back(self) -> None:
        self._line(lambda: None)
        self.lines -= 1

    def _note(self, step: str, mark: str) -> None:
        self.step, self.mark = step, mark

    def _line(self, keep: Callable[[], None]) -> None:
        self.lines += 1
        dying = self.lines == self.dies_at
        if not dying or self.keeps_last:
            keep()
        if dying:
            raise Killed(str(self.lines))

    def known(self, spec: BuildSpec) -> BuildSpec:
        """The spec as a worker would get it that takes over now."""
        clips = []
        for clip in spec.clips:
            remote_id, transcript = self.sent.get(clip.key, (clip.remote_id, clip.sent_transcript))
            clips.append(replace(clip, remote_id=remote_id, sent_transcript=transcript))
        remote_id = self.remote_id or spec.remote_id
        return replace(spec, remote_id=remote_id, clips=tuple(clips), resume_state=self.kept or spec.resume_state)


def carry_out(
    opened: Open, spec: BuildSpec, notes: Notes, settle: Callable[[BuildSpec, Notes], BuildReport | None]
) -> BuildReport:
    """Submit, and when the worker dies take over as another one must: settle the step in doubt, then go on.

    `settle` gives the build's report if the step was the build call and it had arrived.
    """
    notes.clips = {clip.key: clip.transcript for clip in spec.clips}
    while True:
        if (begun := settle(notes.known(spec), notes)) is not None:
            return begun
        try:
            with opened() as provider:
                report = provider.submit_build(notes.known(spec), notes)
                notes.came_back()
                return report
        except Killed:
            continue
