"""One-time codes: a talent who opens a private link proves that they can also read the mails to their address.

A code has six digits, ten minutes and five tries. It is derived from the studio's secret and the id of its row, so that
a task that is retried mails the same code again. Only its keyed hash is stored.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext, ngettext

from consent.models import AccessCode, Invitation
from consent.services.mail_texts import make_mail
from consent.services.talent_languages import speak_to
from voicehub import outbox
from voicehub.refusals import ActionRefused
from voicehub.tokens import derive_token, hash_token

DIGITS = 6
CODE_LIFETIME = timedelta(minutes=10)
MAX_TRIES = 5
RESEND_AFTER = timedelta(minutes=1)
HOURLY_CODES = 5
"""For one link. With MAX_TRIES, 25 of a million codes can be tried in an hour."""
ROW_LIFETIME = timedelta(days=1)


def find_code_address(invitation: Invitation) -> str:
    """The address that gets the codes of this link: that of the talent today. Empty if there is none.

    If staff have removed it, the link that was mailed there before still opens with a code.
    """
    return invitation.talent.email or invitation.sent_to


def needs_code(invitation: Invitation) -> bool:
    """Whether a browser must enter a code. A link that staff passed on to a talent without an address needs none."""
    return settings.VOICEHUB_TALENT_CODES and bool(find_code_address(invitation))


def request_code(invitation: Invitation) -> None:
    """Mail a new code, which replaces the earlier ones. Raises ActionRefused if too many were requested."""
    now = timezone.now()
    with transaction.atomic():
        Invitation.objects.select_for_update().get(pk=invitation.pk)
        invitation.codes.filter(created_at__lt=now - ROW_LIFETIME).delete()
        recent = invitation.codes.filter(created_at__gt=now - timedelta(hours=1))
        if recent.filter(created_at__gt=now - RESEND_AFTER).exists():
            raise ActionRefused(gettext("A code was sent less than a minute ago. Wait for its mail."))
        if recent.count() >= HOURLY_CODES:
            raise ActionRefused(gettext("Too many codes were sent. Ask for the next one in an hour."))
        code = AccessCode(invitation=invitation, sent_to=find_code_address(invitation), expires_at=now + CODE_LIFETIME)
        code.digest = _hash_code(code, _derive_digits(code))
        code.save()
        outbox.enqueue_task("send_code", code.pk)


def has_open_code(invitation: Invitation) -> bool:
    """Whether a code was requested that can still be entered."""
    code = _find_newest_code(invitation)
    return code is not None and code.used_at is None and code.tries < MAX_TRIES and code.expires_at > timezone.now()


def _find_newest_code(invitation: Invitation) -> AccessCode | None:
    """The newest code of the link. None if there is none, or if it went to an earlier address of the talent."""
    code = invitation.codes.first()
    return code if code is not None and code.sent_to == find_code_address(invitation) else None


def use_code(invitation: Invitation, digits: str) -> bool:
    """Whether this is the newest code of the link. It is then used up. Each call counts as a try.

    A wrong, expired or used code, one after too many tries, and one that went to an earlier address, all give False.
    """
    newest = _find_newest_code(invitation)
    if newest is None:
        return False
    open_codes = AccessCode.objects.filter(
        pk=newest.pk, used_at=None, expires_at__gt=timezone.now(), tries__lt=MAX_TRIES
    )
    is_open = open_codes.update(tries=F("tries") + 1)
    is_right = constant_time_compare(_hash_code(newest, digits), newest.digest)
    if not (is_open and is_right):
        return False
    return bool(AccessCode.objects.filter(pk=newest.pk, used_at=None).update(used_at=timezone.now()))


def make_browser_mark(invitation: Invitation) -> str:
    """What the cookie of a browser contains that entered a code for this link and this address."""
    return hash_token(f"{invitation.pk}\n{invitation.token_digest}\n{find_code_address(invitation)}")


def _derive_digits(code: AccessCode) -> str:
    number = int.from_bytes(derive_token("code", code.pk).encode()) % 10**DIGITS
    return f"{number:0{DIGITS}}"


def _hash_code(code: AccessCode, digits: str) -> str:
    return salted_hmac("voicehub.code", f"{code.pk}:{digits}", algorithm="sha256").hexdigest()


def send_code(code_id: str) -> None:
    """Mail the code. A retry sends the same code, and nothing once it has expired, or was sent or replaced.

    Nothing is sent either if the talent has another address now.
    """
    rows = AccessCode.objects.select_related("invitation__talent")
    code = rows.filter(pk=code_id, sent_at=None, used_at=None, expires_at__gt=timezone.now()).first()
    if code is None or code != _find_newest_code(code.invitation):
        return
    consent = code.invitation.consents.order_by("created_at").first()
    company, minutes = consent.company if consent else settings.VOICEHUB_COMPANY, CODE_LIFETIME.seconds // 60
    talent = code.invitation.talent
    context = {"digits": _derive_digits(code), "company": company, "talent": talent}
    with speak_to(talent):
        duration = ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
        subject = gettext("Your code for {company}").format(company=company)
        make_mail(subject, "consent/mail/access_code.txt", context | {"duration": duration}, code.sent_to).send()
    AccessCode.objects.filter(pk=code.pk).update(sent_at=timezone.now())
