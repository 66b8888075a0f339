"""State that the views of the running sandbox share: store, fault rules, settings, request log."""

from collections import deque
from dataclasses import asdict, dataclass, field
from threading import Condition, Event, Lock
from typing import Any

from django.core.handlers.wsgi import WSGIRequest

from sandbox import clock, vendor_defaults
from sandbox.faults import Chaos, FaultScript, Rule
from sandbox.rate_limits import CallRates
from sandbox.store import Store, format_now


@dataclass
class Settings:
    """Values that the control API can change while the sandbox runs. A restart resets them."""

    training_seconds: float = vendor_defaults.TRAINING_SECONDS
    rapid_recordings: int = vendor_defaults.RAPID_RECORDINGS
    professional_recordings: int = vendor_defaults.PROFESSIONAL_RECORDINGS
    rapid_seconds: float = vendor_defaults.RAPID_SECONDS
    professional_seconds: float = vendor_defaults.PROFESSIONAL_SECONDS
    callback_recordings: str = vendor_defaults.CALLBACK_RECORDINGS
    resemble_v1_calls_per_second: float = vendor_defaults.RESEMBLE_V1_CALLS_PER_SECOND
    resemble_v2_voice_limit: float = vendor_defaults.RESEMBLE_V2_VOICE_LIMIT
    resemble_v2_calls_per_second: float = vendor_defaults.RESEMBLE_V2_CALLS_PER_SECOND


@dataclass
class RequestEntry:
    """One request in the log, with its headers, but without keys, body or query.

    `options` are the values that the sandbox read from the body for the vendor's optional fields.
    """

    number: int
    at: str
    method: str
    path: str
    headers: dict[str, str]
    operation: str = ""
    account: str = ""
    status: int | None = None
    options: dict[str, Any] = field(default_factory=dict)


class RequestLog:
    """The latest requests, numbered since the start."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last_number = 0
        self._entries: deque[RequestEntry] = deque(maxlen=20_000)

    def record_request(self, request: WSGIRequest, headers: dict[str, str]) -> RequestEntry:
        """Add an entry. `headers` must not contain keys."""
        with self._lock:
            self._last_number += 1
            entry = RequestEntry(self._last_number, format_now(), request.method or "", request.path, headers)
            self._entries.append(entry)
            return entry

    def list_entries(self, after: int = 0, account: str | None = None) -> tuple[int, list[dict[str, Any]]]:
        """The number of the newest request; and the entries after this number, of this account or of all."""
        with self._lock:
            number, entries = self._last_number, [entry for entry in self._entries if entry.number > after]
        return number, [asdict(entry) for entry in entries if account in {None, entry.account}]


class Reordering:
    """Holds one callback back until another one has been sent."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._sent_count = 0
        self._is_one_waiting = False

    def wait_for_another(self, closing: Event) -> None:
        """Wait until another callback is sent or `closing` is set. Do not wait if a callback is already held back."""
        with self._changed:
            if self._is_one_waiting:
                return
            self._is_one_waiting, sent_before = True, self._sent_count
            while self._sent_count == sent_before and not closing.is_set():
                self._changed.wait(clock.MIN_CHECK_SECONDS)
            self._is_one_waiting = False

    def mark_sent(self) -> None:
        with self._changed:
            self._sent_count += 1
            self._changed.notify_all()


@dataclass
class SandboxContext:
    """One running sandbox."""

    store: Store
    settings: Settings = field(default_factory=Settings)
    faults: FaultScript = field(default_factory=FaultScript)
    log: RequestLog = field(default_factory=RequestLog)
    call_rates: CallRates = field(default_factory=CallRates)
    chaos: Chaos | None = None
    reordering: Reordering = field(default_factory=Reordering)
    closing: Event = field(default_factory=Event)


class SandboxRequest(WSGIRequest):
    """A request with the sandbox's context, its entry in the log and the fault rules that match it."""

    context: SandboxContext
    entry: RequestEntry
    rules: list[Rule]
