"""Which name of a talent the reader sees, and where lists search and sort by it. No page decides this itself.

Here are also the other permissions for what is confidential, and what users without them read.

The reader is that of `voicehub.viewer`. What is evidence, such as a statement, always has the real name: `Talent.name`.
"""

import re
from collections.abc import Callable

from django.db.models.expressions import Combinable

from voicehub.folding import Fold
from voicehub.viewer import can_viewer

VIEW_NAMES = "consent.view_names"
VIEW_CONTACTS = "consent.view_contacts"
READ_CONTRACT = "consent.read_contract"
HEAR_TAKE = "consent.hear_take"
# To see a private link. It opens the name, the fees and the recording of the talent.
SEE_LINK = ("consent.invite_talent", VIEW_NAMES, READ_CONTRACT, HEAR_TAKE)
SHORT_NAME_LENGTH = 60
ADDRESS = re.compile(r"[^\s<>(),:;\"“”]+@[^\s<>(),:;\"“”]*[^\s<>(),:;\"“”.]")
# What users without a permission read, if the text for a role without the page does not say enough.
REFUSALS = {
    VIEW_NAMES: "This shows the real name of the talent, which your role does not include.",
    VIEW_CONTACTS: "This shows how to reach the talent, which your role does not include.",
    READ_CONTRACT: "Your role does not include contracts and their fees.",
    HEAR_TAKE: "Your role does not include recordings of consents.",
    "consent.view_fileaccess": "Your role does not include who opened files of a talent.",
    "voices.view_spend": "Your role does not include usage and costs.",
}


def make_short_name(name: str) -> str:
    """The first name and the first letter of the last one: “Sally L.” Of a single name, only its first letter: “C.”

    “Lind, Sally” is read as “Sally Lind”. Titles with a period, and what stands in brackets, do not count.
    """
    last, _comma, first = re.sub(r"\(.*?\)|\[.*?\]", " ", name).partition(",")
    words = [word for word in f"{first} {last}".split() if len(word) < 3 or word[-1] != "."] or name.split()
    if not words:
        return "Talent"
    if len(words) == 1:
        return f"{words[0][0].upper()}."
    return f"{words[0][: SHORT_NAME_LENGTH - 3]} {words[-1][0].upper()}."


def may_see_names() -> bool:
    return can_viewer(VIEW_NAMES)


def may_see_contacts() -> bool:
    return can_viewer(VIEW_CONTACTS)


def choose_address(address: str) -> str:
    """The address, or “the talent” if the reader may not see it."""
    return address if address and may_see_contacts() else "the talent"


def hide_addresses(text: str) -> str:
    """The text, such as the reason of a refused mail, without email addresses unless the reader may see them."""
    return text if may_see_contacts() else ADDRESS.sub("(hidden)", text)


def choose_name(name: str, short_name: str) -> str:
    """The real name if the reader may see it, otherwise the short one."""
    return name if may_see_names() else short_name or make_short_name(name)


def hide_names(text: str, *names: str, short_name: str) -> str:
    """The text, with the short name in place of these real names unless the reader may see them."""
    if may_see_names():
        return text
    for name in sorted({name for name in names if name}, key=len, reverse=True):
        text = re.sub(
            re.escape(name),
            lambda found: found[0] if _is_in_word(found) else short_name,
            text,
            flags=re.IGNORECASE,
        )
    return text


def _is_in_word(found: re.Match[str]) -> bool:
    """Whether letters stand beside it. Scripts without capitals put no space between words, so theirs do not count."""
    text, start, end = found.string, found.start(), found.end()
    return any(_are_letters(text[at - 1 : at + 1]) for at in (start, end) if 0 < at < len(text))


def _are_letters(characters: str) -> bool:
    return all(one.lower() != one.upper() for one in characters)


def get_name_field(path: str = "") -> str:
    """The field with the name that the reader sees. `path` leads to the talent, such as "talent__"."""
    return f"{path}{'name' if may_see_names() else 'short_name'}"


def sort_by_name(path: str = "") -> Callable[[], Combinable]:
    """The order of a list by the name that its reader sees."""
    return lambda: Fold(get_name_field(path))


def make_person_search(path: str, permission: str = "") -> dict[str, str]:
    """The names of a talent that a search reads, each with the permission that it needs."""
    return {f"{path}short_name": permission, f"{path}name": VIEW_NAMES}


def make_name_search(path: str, permission: str = "") -> dict[str, str]:
    """The same with the email address."""
    return {**make_person_search(path, permission), f"{path}email": VIEW_CONTACTS}
