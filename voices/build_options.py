"""The build options of a voice: each account and tier, with what is missing, and what would be sent."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse

from consent.models import Consent
from consent.services.blockers import find_blocker
from consent.services.statements import load_newest_statements
from providers.types import Handover
from voices.build_option import BuildOption
from voices.models import RemoteVoice, Voice
from voices.models.limits import get_all_limits
from voices.services.builds.clip_pool import ProviderClips, load_clip_pool
from voices.services.builds.likely_failures import load_left_out, load_refused, make_judges
from voices.services.builds.readiness import check_readiness_everywhere
from voices.services.remote_state import find_retrainings


def list_build_options(voice: Voice) -> list[BuildOption]:
    """The build options of every account and tier, ready options first. The number of queries is constant."""
    newest_consents = {consent.provider: consent for consent in _query_consents(voice)}
    states, limits = check_readiness_everywhere(voice), get_all_limits()
    judges = make_judges([voice.pk], [(account.provider, state.capabilities.tier) for account, state in states], limits)
    statements, dataset_tiers = list(load_newest_statements()), _find_dataset_tiers(voice)
    left_out, refused, retrainings = load_left_out(voice), load_refused(voice), find_retrainings(voice)
    refused_ids = {slug: frozenset(failure.id for failure in failures) for slug, failures in refused.items()}
    pool = load_clip_pool(voice, judges.values(), frozenset().union(*refused_ids.values()))
    options = [
        BuildOption(
            account,
            state,
            newest_consents.get(account.provider),
            make_consent_url(voice, account.provider, statements),
            voice.get_absolute_url(),
            reverse("voices:recordings_check", args=[voice.pk]),
            judges[account.provider, state.capabilities.tier],
            [*left_out, *refused.get(account.provider, ())],
            ProviderClips(pool, refused_ids.get(account.provider, frozenset())),
            limits[account.provider, state.capabilities.tier],
            frozenset({Handover.RECORDINGS} if (account.pk, str(state.capabilities.tier)) in dataset_tiers else ()),
            retrainings.get((account.pk, str(state.capabilities.tier))),
        )
        for account, state in states
    ]
    return sorted(options, key=lambda option: option.sort_key)


def _query_consents(voice: Voice) -> QuerySet[Consent]:
    rows: QuerySet[Consent] = Consent.objects.filter(talent=voice.talent_id, purpose=voice.purpose)
    return rows.annotate(blocker=find_blocker()).order_by("created_at")


def _find_dataset_tiers(voice: Voice) -> set[tuple[UUID, str]]:
    """The accounts and tiers at which this voice has a dataset. The provider then trains it on datasets only."""
    in_use = RemoteVoice.objects.filter(voice=voice, retired_at=None).exclude(remote_id="")
    return set(in_use.filter(builds__handover=Handover.DATASET_URL).values_list("account_id", "tier"))


def make_consent_url(voice: Voice, provider: str, statements: Iterable[str]) -> str:
    """URL of the page to request consent for this provider. Chooses a statement in the voice's language if possible."""
    language = voice.language.partition("-")[0]
    provider_statements = [key for key in statements if key.startswith(f"{provider}:")]
    # First the same locale, then the same language, then any.
    provider_statements.sort(key=lambda key: (key != f"{provider}:{voice.language}", f":{language}" not in key))
    query = QueryDict(mutable=True)
    query["purpose"] = voice.purpose
    if provider_statements:
        query["statement"] = provider_statements[0]
    return f"{reverse('consent:consent_ask', args=[voice.talent_id])}?{query.urlencode()}"
