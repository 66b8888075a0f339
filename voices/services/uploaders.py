"""Authorized uploaders: accounts whose provider asks for no proof of consent. VoiceHub's own gate stays the same."""

from django.db import transaction
from django.utils import timezone

from providers import registry
from providers.types import Capabilities, ConsentProof
from voicehub.models import SecurityEventKind, User
from voicehub.refusals import ActionRefused
from voicehub.security_log import record_change
from voices.models import Account

PROOFS_WITH_AUDIO = (ConsentProof.BASE64_WAV, ConsentProof.AUDIO_FILE)


def sends_consent(account: Account, capabilities: Capabilities) -> bool:
    """Whether a build of this tier at this account sends the recording of the consent."""
    return capabilities.consent_proof in PROOFS_WITH_AUDIO and not is_consent_exempt(account, capabilities)


def is_consent_exempt(account: Account, capabilities: Capabilities) -> bool:
    """Whether the provider wants the consents of others with a build of this tier, but not those of this account."""
    return capabilities.consent_proof in PROOFS_WITH_AUDIO and (
        account.is_authorized_uploader and bool(capabilities.consent_exemption)
    )


def find_exemption(provider: str) -> str:
    """Which accounts need no proof of consent, in the vendor's words with their source. Empty if none are named."""
    tiers = registry.get_provider_class(provider).tiers.values() if provider in registry.PROVIDERS else ()
    return next((tier.consent_exemption for tier in tiers if tier.consent_exemption), "")


def has_only_authorized_uploaders(provider: str) -> bool:
    """Whether no account of the studio at this provider has to send the recording of a consent."""
    flags = set(Account.objects.filter(provider=provider).values_list("is_authorized_uploader", flat=True))
    return bool(find_exemption(provider)) and flags == {True}


def set_authorized_uploader(account: Account, is_authorized: bool, by: User, *, source: str, reason: str) -> None:
    """Record that the provider asks for no proof of consent of this account, or that it does so again.

    `source` is who confirmed it. Raises ActionRefused.
    """
    if is_authorized and not find_exemption(account.provider):
        raise ActionRefused("This provider names no accounts that need no proof of consent.")
    if is_authorized and not source:
        raise ActionRefused("Enter who confirmed it, such as the provider's support on a date.")
    with transaction.atomic():
        row = Account.objects.select_for_update().get(pk=account.pk)
        if row.is_authorized_uploader == is_authorized:
            raise ActionRefused("This is already so. Reload the page.")
        row.is_authorized_uploader, row.uploader_source, row.uploader_reason = is_authorized, source, reason
        row.uploader_set_by, row.uploader_set_at = by, timezone.now()
        fields = ["is_authorized_uploader", "uploader_source", "uploader_reason", "uploader_set_by", "uploader_set_at"]
        row.save(update_fields=fields)
        detail = f"Proof of consent is {'not sent' if is_authorized else 'sent'} to the provider. {source} {reason}"
        record_change(SecurityEventKind.SETTING_CHANGED, by, f"Account: {account.name}", detail.strip())
    account.refresh_from_db()
