"""What staff do next with one consent: one rule for every list and page, so that all of them offer the same."""

from typing import NamedTuple

from django.urls import reverse

from consent.models import Consent, ConsentStatus
from consent.presenters import make_contract_url
from consent.services.blockers import Blocker
from voicehub.models import User

REVIEW, INVITE = "consent.review_consent", "consent.invite_talent"
ADD_CONTRACT, ADD_CONSENT = "consent.add_contract", "consent.add_consent"
RESUME_CONTRACT = "Resume contract"


class ConsentAction(NamedTuple):
    """The link to the place where the step is done, its label, and the permission to do it."""

    url: str
    label: str
    permission: str

    def is_allowed_for(self, user: User) -> bool:
        return user.has_perm(self.permission)


def find_action(consent: Consent) -> ConsentAction | None:
    """The next step of a consent with its `blocker` (see `find_blocker`). None if nothing waits for staff."""
    page = consent.get_absolute_url()
    if consent.status == ConsentStatus.SUSPENDED:
        return ConsentAction(f"{page}#status", "Resume consent", REVIEW)
    if consent.status == ConsentStatus.EXPIRED:
        url = reverse("consent:consent_ask", args=[consent.talent_id])
        return ConsentAction(url, "Ask again", ADD_CONSENT) if _get_blocker(consent) else None
    links = f"{page}#invitations-title"
    contract = make_contract_url(consent.talent_id, consent.provider, consent.purpose)
    actions: dict[str, ConsentAction] = {
        Blocker.REVIEW: ConsentAction(f"{page}#review", "Review", REVIEW),
        Blocker.CONTRACT: ConsentAction(contract, "Add contract", ADD_CONTRACT),
        Blocker.SEND: ConsentAction(page, "Send link", INVITE),
        Blocker.OVER: ConsentAction(links, "Send again", INVITE),
        Blocker.TALENT: ConsentAction(links, "Remind", INVITE),
    }
    return actions.get(_get_blocker(consent))


def find_allowed_action(consent: Consent, user: User) -> ConsentAction | None:
    action = find_action(consent)
    return action if action and action.is_allowed_for(user) else None


def _get_blocker(consent: Consent) -> str:
    return consent.blocker  # type: ignore[attr-defined, no-any-return]  # annotated with `find_blocker`
