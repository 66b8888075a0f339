"""One talent who is allowed everywhere, and an account at each provider: each made when it is first asked for."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from tests.browser import desk, sound
from tests.browser.tab import Tab

Visit = Callable[[str], AbstractContextManager[Tab]]


class Cast:
    """`visit` opens a tab for somebody; what is made here once serves all tests of a studio."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._accounts: dict[str, str] = {}
        self._permitted: set[str] = set()
        self._talent = ""

    def account(self, provider: str) -> str:
        """The name of an account at this provider, which the admin has added by the dashboard's own form."""
        if provider not in self._accounts:
            name = f"Cast at {provider}"
            with self._visit("ada") as tab:
                desk.add_account(tab, name, provider, f"key-of-the-cast-at-{provider.replace(' ', '-')}")
            self._accounts[provider] = name
        return self._accounts[provider]

    @property
    def talent(self) -> str:
        """The path of their page; their contract allows every provider."""
        if not self._talent:
            with self._visit("paula") as tab:
                self._talent = desk.add_talent(tab, "Cass Everywhere")
                desk.file_contract(tab, self._talent)
        return self._talent

    def permit(self, provider: str) -> None:
        """Have the talent's consent to this provider in force: asked for, uploaded, heard, approved."""
        if provider not in self._permitted:
            with self._visit("paula") as tab:
                desk.permit(tab, self.talent, sound.clip("consent-slt"), provider)
            self._permitted.add(provider)

    def voice(self, tab: Tab, name: str, clips: Sequence[str]) -> str:
        """A new voice of theirs with these recordings, on whose page the tab then is; the path of that."""
        path = desk.add_voice(tab, self.talent, name)
        desk.add_clips(tab, clips)
        return path
