"""A mail server that refuses an address for good: the task fails at once, with a reason that a person can act on."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from smtplib import SMTPRecipientsRefused

from voicehub.outbox import PermanentFailure

REFUSED = "The mail server refused the address"
PERMANENT = 500  # SMTP answers from 500 on are final (RFC 5321, section 4.2.1)
ANSWER_LENGTH = 200


@contextmanager
def explain_refusal() -> Iterator[None]:
    """Raise PermanentFailure if the server refused all recipients of a mail for good. Also a decorator.

    An answer for now, such as of a full mailbox, is retried like any other error.
    """
    try:
        yield
    except SMTPRecipientsRefused as refusal:
        answers = refusal.recipients
        if not answers or any(code < PERMANENT for code, _text in answers.values()):
            raise
        address, (_code, text) = next(iter(answers.items()))
        words = " ".join(text.decode(errors="replace").split())[:ANSWER_LENGTH]
        raise PermanentFailure(f"{REFUSED} {address}: {words}") from refusal


def names_address(reason: str, addresses: Iterable[str]) -> bool:
    """Whether the reason of a refused mail names one of these addresses."""
    return any(address and address in reason for address in addresses)
