"""What the views of the running sandbox share: its store, its faults, its settings, its trainings."""

from collections import deque
from dataclasses import asdict, dataclass, field
from itertools import count
from threading import Condition, Event, Lock
from typing import Any

from django.core.handlers.wsgi import WSGIRequest

from sandbox import clock, vendor_defaults
from sandbox.faults import Chaos, FaultScript, Rule
from sandbox.store import Store, now


@dataclass
class Settings:
    """What the control API may change while the sandbox runs; a restart brings the start values back."""

    training_seconds: float = vendor_defaults.TRAINING_SECONDS
    rapid_recordings: int = vendor_defaults.RAPID_RECORDINGS
    professional_recordings: int = vendor_defaults.PROFESSIONAL_RECORDINGS
    rapid_seconds: float = vendor_defaults.RAPID_SECONDS
    professional_seconds: float = vendor_defaults.PROFESSIONAL_SECONDS
    callback_recordings: str = vendor_defaults.CALLBACK_RECORDINGS


@dataclass
class Seen:
    """One request as the log keeps it: with its headers, but never a key, a body or a query."""

    number: int
    at: str
    method: str
    path: str
    headers: dict[str, str]
    operation: str = ""
    account: str = ""
    status: int | None = None


class RequestLog:
    """The last requests, and how many there were since the start."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count(1)
        self._seen: deque[Seen] = deque(maxlen=20_000)

    def note(self, request: WSGIRequest, headers: dict[str, str]) -> Seen:
        """`headers` are without keys."""
        with self._lock:
            seen = Seen(next(self._numbers), now(), request.method or "", request.path, headers)
            self._seen.append(seen)
            return seen

    def as_list(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(seen) for seen in self._seen]


class Overtaking:
    """Lets one callback wait until another one has been sent."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._sent = 0
        self._one_waits = False

    def let_one_pass(self, closing: Event) -> None:
        """Return when another callback has been sent, or `closing` is set; at once where one waits already."""
        with self._changed:
            if self._one_waits:
                return
            self._one_waits, sent_before = True, self._sent
            while self._sent == sent_before and not closing.is_set():
                self._changed.wait(clock.LOOK_SECONDS)
            self._one_waits = False

    def sent(self) -> None:
        with self._changed:
            self._sent += 1
            self._changed.notify_all()


@dataclass
class House:
    """One running sandbox."""

    store: Store
    settings: Settings = field(default_factory=Settings)
    faults: FaultScript = field(default_factory=FaultScript)
    log: RequestLog = field(default_factory=RequestLog)
    chaos: Chaos | None = None
    overtaking: Overtaking = field(default_factory=Overtaking)
    closing: Event = field(default_factory=Event)


class SandboxRequest(WSGIRequest):
    """A request that knows the house it came to, and how the log remembers it."""

    house: House
    seen: Seen
    rules: list[Rule]
