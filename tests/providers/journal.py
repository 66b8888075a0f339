"""An in-memory journal of a submit. Its worker can be killed at any line of the journal."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from providers.base import Provider
from providers.types import BuildReport, BuildSpec

OpenProvider = Callable[[], Provider]


class WorkerKilled(Exception):
    """The worker was killed at this line of the journal."""


@dataclass
class MemoryJournal:
    """A Journal that kills its worker at line `kill_at_line` (from 1), just before or just after the line is saved.

    After the last line of the submit comes one more, for what the service writes when the submit has returned.
    `on_call` is called with each step just before the provider is called.
    """

    kill_at_line: int = 0
    saves_killed_line: bool = False
    line_count: int = 0
    pending_call: str = ""
    version: str = ""
    remote_id: str = ""
    resume_state: str = ""
    uploads: dict[str, tuple[str, str]] = field(default_factory=dict)
    files: list[tuple[str, str]] = field(default_factory=list)
    transcripts: dict[str, str] = field(default_factory=dict)
    report: BuildReport | None = None
    on_call: Callable[[str], None] = lambda _step: None

    def before_call(self, step: str, mark: str = "") -> None:
        assert step in ("create", "build"), f"{step} cannot be reconciled"
        self._write_line(lambda: self._set_pending_call(step, mark))
        self.on_call(step)

    def record_voice(self, remote_id: str, resume_state: str = "") -> None:
        def save() -> None:
            self.remote_id, self.pending_call = remote_id, ""
            self.resume_state = resume_state or self.resume_state

        self._write_line(save)

    def record_recording(self, key: str, remote_id: str) -> None:
        self._write_line(lambda: self.uploads.update({key: (remote_id, self.transcripts[key])}))

    def record_file(self, key: str, remote_id: str) -> None:
        self._write_line(lambda: self.files.append((key, remote_id)))

    def save_resume_state(self, text: str) -> None:
        def save() -> None:
            self.resume_state = text

        self._write_line(save)

    def record_progress(self, doing: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        self._write_line(lambda: None)

    def record_return(self) -> None:
        self._write_line(lambda: None)
        self.line_count -= 1

    def _set_pending_call(self, step: str, version: str) -> None:
        self.pending_call, self.version = step, version

    def _write_line(self, save: Callable[[], None]) -> None:
        self.line_count += 1
        is_killed = self.line_count == self.kill_at_line
        if not is_killed or self.saves_killed_line:
            save()
        if is_killed:
            raise WorkerKilled(str(self.line_count))

    def apply_to(self, spec: BuildSpec) -> BuildSpec:
        """The spec as the next worker would get it after this journal."""
        clips = []
        for clip in spec.clips:
            remote_id, transcript = self.uploads.get(clip.key, (clip.remote_id, clip.sent_transcript))
            clips.append(replace(clip, remote_id=remote_id, sent_transcript=transcript))
        remote_id = self.remote_id or spec.remote_id
        resume_state = self.resume_state or spec.resume_state
        return replace(spec, remote_id=remote_id, clips=tuple(clips), resume_state=resume_state)


def submit_until_done(
    open_provider: OpenProvider,
    spec: BuildSpec,
    journal: MemoryJournal,
    reconcile: Callable[[BuildSpec, MemoryJournal], BuildReport | None],
) -> BuildReport:
    """Submit. Whenever the worker is killed, do what the next worker does: reconcile the pending call, then resume.

    `reconcile` returns the build's report if the pending call was the build call and it had arrived.
    """
    journal.transcripts = {clip.key: clip.transcript for clip in spec.clips}
    while True:
        if (started := reconcile(journal.apply_to(spec), journal)) is not None:
            return started
        try:
            with open_provider() as provider:
                report = provider.submit_build(journal.apply_to(spec), journal)
                journal.record_return()
                return report
        except WorkerKilled:
            continue
