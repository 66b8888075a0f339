"""The provider interface. An adapter implements it for one vendor (docs/providers.md lists its files at the end)."""

import abc
from collections.abc import Callable, Collection, Iterator, Mapping
from types import TracebackType
from typing import Any, ClassVar, NoReturn, Self

from providers.errors import UnsupportedFeature
from providers.journal import Journal
from providers.rules import DataUse
from providers.types import ApiLogEntry, BuildReport, BuildSpec, Capabilities, Sound, Tier, Visibility
from providers.usage import Usage

MAX_CALL_SECONDS = 45.0  # seconds; the total deadline of one call, also while the server still sends data

WaitForSlot = Callable[[float], bool]
"""Waits until the provider's rate limit allows a call; False if it does not within so many seconds."""


class Provider(abc.ABC):
    """One provider, opened for one task: `with registry.open_provider(account) as provider`."""

    slug: ClassVar[str]
    label: ClassVar[str]
    tiers: ClassVar[Mapping[Tier, Capabilities]]
    data_use: ClassVar[DataUse]
    list_position: ClassVar[int] = 100
    """Position in lists of providers, lowest first; providers with the same position are sorted by label."""
    statement_languages: ClassVar[tuple[str, ...]] = ()
    """The languages of the consent statement on the vendor's page, as primary subtags of BCP 47; empty without one."""
    api_log: Collection[ApiLogEntry] = ()
    """The last responses, oldest first."""

    @abc.abstractmethod
    def __init__(
        self,
        key: str,
        *,
        sandbox_url: str = "",
        sandboxed: bool = False,
        longest_call: float = MAX_CALL_SECONDS,
        wait_for_slot: WaitForSlot | None = None,
    ) -> None:
        """`sandboxed` accounts talk to `sandbox_url` only. No call takes longer than `longest_call` seconds, with the
        wait for its slot."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abc.abstractmethod
    def close(self) -> None:
        """Close all connections."""

    def submit_build(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        """Send everything that the build needs and start its training. Reuses what already exists according to `spec`.

        `journal.before_call` announces every call that creates or starts something. Raises any ProviderError.
        After OutcomeUnknown, the last call must be reconciled by a lookup and never repeated.
        """
        capabilities = self.tiers.get(spec.tier)
        if capabilities is None or spec.handover not in capabilities.handover:
            self.raise_unsupported(f"submit {spec.tier} by {spec.handover}")
        return self._submit_build(spec, journal)

    @abc.abstractmethod
    def _submit_build(self, spec: BuildSpec, journal: Journal) -> BuildReport: ...

    @abc.abstractmethod
    def fetch_build(self, remote_id: str) -> BuildReport:
        """The voice's current report, fetched with the account's key. Raises NotFound if the voice does not exist."""

    @abc.abstractmethod
    def check_key(self) -> None:
        """Make the cheapest call that needs a valid key. Raises ProviderAuthError if the key is invalid."""

    def find_build(self, reference: str) -> BuildReport | None:
        """Look a voice up by the name that VoiceHub gave it; None if the provider has no voice of that name."""
        self.raise_unsupported("find_build")

    def parse_callback(self, body: bytes) -> BuildReport:
        """The report in a callback, whose content is untrusted. Raises ResponseUnreadable."""
        self.raise_unsupported("parse_callback")

    def rename_voice(self, remote_id: str, name: str) -> None:
        self.raise_unsupported("rename_voice")

    def set_visibility(self, remote_id: str, visibility: Visibility) -> None:
        """Set who may use the voice."""
        self.raise_unsupported("set_visibility")

    def delete_voice(self, remote_id: str) -> Mapping[str, Any]:
        """Delete the voice for good. Returns the provider's response, empty if none or if the voice did not exist."""
        self.raise_unsupported("delete_voice")

    def delete_file(self, file_id: str) -> Mapping[str, Any]:
        """Delete an uploaded file. Returns the provider's response, empty if none or if the file did not exist."""
        self.raise_unsupported("delete_file")

    def has_file(self, file_id: str) -> bool:
        """Whether the provider still has this file."""
        self.raise_unsupported("has_file")

    def list_voices(self) -> Iterator[BuildReport]:
        """Every voice created with the account, without the provider's own voices."""
        self.raise_unsupported("list_voices")

    def fetch_usage(self) -> Usage:
        """How much of the account is used, in at most a few calls that cost nothing."""
        self.raise_unsupported("usage")

    def generate_preview(self, remote_id: str, text: str) -> Sound:
        """Speech of `text` in this voice. The provider may charge for it."""
        self.raise_unsupported("preview")

    def download_sound(self, url: str) -> Sound:
        """The sound at an address that the provider gave us, fetched without the account's key."""
        self.raise_unsupported("download")

    def raise_unsupported(self, operation: str) -> NoReturn:
        raise UnsupportedFeature(operation, f"{self.label} cannot do this.")
