"""The conversation with a provider. An adapter fills in one vendor's words (docs/providers.md ends with its files)."""

import abc
from collections.abc import Collection, Iterator, Mapping
from types import TracebackType
from typing import Any, ClassVar, NoReturn, Self

from providers.errors import UnsupportedFeature
from providers.types import ApiLogEntry, BuildReport, BuildSpec, Capabilities, Journal, Sound, Tier, Visibility

LONGEST_CALL = 45.0  # seconds, whatever the server does


class Provider(abc.ABC):
    """One provider, opened for one piece of work: `with registry.open_provider(account) as provider`."""

    slug: ClassVar[str]
    label: ClassVar[str]
    tiers: ClassVar[Mapping[Tier, Capabilities]]
    list_position: ClassVar[int] = 100
    """Where lists show it: the lowest first, those of one number by label."""
    api_log: Collection[ApiLogEntry] = ()
    """The last answers, oldest first."""

    @abc.abstractmethod
    def __init__(
        self, key: str, *, sandbox_url: str = "", sandboxed: bool = False, longest_call: float = LONGEST_CALL
    ) -> None:
        """`sandboxed` accounts talk to `sandbox_url` only, and no call takes longer than `longest_call` seconds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of connections."""

    def submit(self, spec: BuildSpec, journal: Journal) -> BuildReport:
        """Bring the build to the point where the provider trains, going on from whatever `spec` says is there.

        Every call that creates or starts something is announced with `journal.about_to` first. Raises any
        ProviderError; OutcomeUnknown means that only a look-up may settle what became of the last step.
        """
        capabilities = self.tiers.get(spec.tier)
        if capabilities is None or spec.handover not in capabilities.handover:
            self.unsupported(f"submit {spec.tier} by {spec.handover}")
        return self._submit(spec, journal)

    @abc.abstractmethod
    def _submit(self, spec: BuildSpec, journal: Journal) -> BuildReport: ...

    @abc.abstractmethod
    def fetch_build(self, remote_id: str) -> BuildReport:
        """What the provider says now, asked with our key. Raises NotFound when the voice is not there."""

    @abc.abstractmethod
    def check_key(self) -> None:
        """Make the cheapest call that needs a valid key. Raises ProviderAuthError when it is not valid."""

    def find_build(self, reference: str) -> BuildReport | None:
        """Look a voice up by the name that we gave it; None when the provider has none of that name."""
        self.unsupported("find_build")

    def parse_callback(self, body: bytes) -> BuildReport:
        """What a callback says. It is a hint and no more. Raises ResponseUnreadable."""
        self.unsupported("parse_callback")

    def rename_voice(self, remote_id: str, name: str) -> None:
        """Give it another name at the provider."""
        self.unsupported("rename_voice")

    def set_visibility(self, remote_id: str, visibility: Visibility) -> None:
        """Say who may use it."""
        self.unsupported("set_visibility")

    def delete_voice(self, remote_id: str) -> Mapping[str, Any]:
        """Delete it for good; the provider's answer, empty where it gave none or the voice was gone already."""
        self.unsupported("delete_voice")

    def list_voices(self) -> Iterator[BuildReport]:
        """Every voice of the account that somebody made with it; no voice of the provider's own."""
        self.unsupported("list_voices")

    def preview(self, remote_id: str, text: str) -> Sound:
        """The voice saying `text`. May be charged for."""
        self.unsupported("preview")

    def download(self, url: str) -> Sound:
        """The sound behind an address that the provider gave us, fetched without our key."""
        self.unsupported("download")

    def unsupported(self, operation: str) -> NoReturn:
        raise UnsupportedFeature(operation, f"{self.label} cannot do this.")
