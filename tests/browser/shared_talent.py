"""One talent whose contract allows every provider, and one account for each provider, all created on first use."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from tests.browser import sound, staff_steps
from tests.browser.studio import Studio
from tests.browser.tab import Tab

PROVIDER_WITH_OFFLINE_PROOF = "Resemble AI v1"
OpenSessionTab = Callable[[str], AbstractContextManager[Tab]]


class SharedTalent:
    """All tests share this talent and these accounts. `open_session_tab` opens a tab signed in as a user."""

    def __init__(self, studio: Studio, open_session_tab: OpenSessionTab) -> None:
        self._studio = studio
        self._open_tab = open_session_tab
        self._accounts: dict[str, str] = {}
        self._consents: set[str] = set()
        self._path = ""

    def get_account(self, provider: str) -> str:
        """The name of an account at this provider. The admin adds it with the form of the dashboard."""
        if provider not in self._accounts:
            name = f"Shared account at {provider}"
            with self._open_tab("ada") as tab:
                staff_steps.add_account(tab, name, provider, f"shared-key-at-{provider.replace(' ', '-')}")
            self._accounts[provider] = name
        return self._accounts[provider]

    @property
    def path(self) -> str:
        if not self._path:
            self._path = staff_steps.prepare_talent(self._studio, "Cass Everywhere")
        return self._path

    def grant_consent(self, provider: str) -> None:
        """Prepare the talent's consent for this provider.

        A provider that wants the proof by mail gets it for the shared account.
        """
        if provider in self._consents:
            return
        consent = staff_steps.prepare_consent(self._studio, self.path, sound.read_clip("consent-slt"), provider)
        if provider == PROVIDER_WITH_OFFLINE_PROOF:
            account = self.get_account(provider)
            with self._open_tab("paula") as tab:
                staff_steps.record_proof(tab.goto(f"/consents/{consent}/offline-proof/"), account)
        self._consents.add(provider)

    def add_voice(self, tab: Tab, name: str, clips: Sequence[str]) -> str:
        """Add a voice with these recordings. Return the path of its page, which the tab then shows."""
        path = staff_steps.prepare_voice(self._studio, self.path, name, clips)
        tab.goto(path)
        return path
