"""The pages of the full studio, by the names of their pictures."""

from collections.abc import Iterator

from django.urls import reverse

from consent.models import Consent, ConsentStatus, Talent
from tests.full_studio.fill import FullStudio
from voices.models import Build, BuildStatus, RemoteVoice, Voice

GUIDE = "Sally, museum guide"


def list_staff_pages(studio: FullStudio) -> Iterator[tuple[str, str]]:
    """The name and path of each page of staff, and of the administration."""
    yield "today", "/"
    yield from _list_talent_pages()
    yield from _list_consent_pages()
    yield from _list_voice_pages()
    yield from _list_import_pages(studio)
    yield from _list_build_pages(studio)
    yield from _list_account_pages(studio)
    yield from _list_admin_pages(studio)


def _list_talent_pages() -> Iterator[tuple[str, str]]:
    busy = Talent.objects.get(name="Sally Lind")
    long_name = Talent.objects.get(name__startswith="Jürgen")
    yield "talents", reverse("consent:talent_list")
    yield "talent", busy.get_absolute_url()
    yield "talent-long-name", long_name.get_absolute_url()
    yield "talent-edit", reverse("consent:talent_edit", args=[long_name.pk])
    yield "talent-add", reverse("consent:talent_add")
    yield "contract-form", reverse("consent:contract_add", args=[long_name.pk])
    yield "contract", busy.contracts.all()[0].get_absolute_url()
    yield "request-form", reverse("consent:consent_ask", args=[busy.pk])
    chosen = "&".join(f"talent={pk}" for pk in Talent.objects.values_list("pk", flat=True)[:12])
    yield "requests-of-many", f"{reverse('consent:ask_talents')}?{chosen}"


def _list_consent_pages() -> Iterator[tuple[str, str]]:
    yield "open-requests", reverse("consent:open_requests")
    yield "consents", reverse("consent:consent_list")
    yield "consent-review", _get_consent(ConsentStatus.SUBMITTED, "Alan Webb").get_absolute_url()
    yield "consent-approved", _get_consent(ConsentStatus.APPROVED, "Sally Lind").get_absolute_url()
    yield "consent-withdrawn", _get_consent(ConsentStatus.WITHDRAWN).get_absolute_url()
    yield "consent-question", _get_consent(ConsentStatus.REQUESTED, "Zoë Dąbrowska-Wiśniewska").get_absolute_url()


def _get_consent(status: str, talent: str = "") -> Consent:
    return Consent.objects.filter(status=status, talent__name__contains=talent).order_by("created_at")[0]


def _list_voice_pages() -> Iterator[tuple[str, str]]:
    guide, empty = Voice.objects.get(name=GUIDE), Voice.objects.get(name="Alan, radio")
    long_name = Voice.objects.get(name__startswith="Jürgen, Hörbücher")
    yield "voices", reverse("voices:voice_list")
    yield "voice", guide.get_absolute_url()
    yield "voice-readiness", f"{guide.get_readiness_url()}?improvements=show"
    yield "voice-builds", guide.get_builds_url()
    yield "voice-providers", guide.get_providers_url()
    yield "voice-long-name", long_name.get_absolute_url()
    yield "voice-empty", empty.get_absolute_url()
    yield "voice-empty-readiness", empty.get_readiness_url()
    yield "voice-dataset", reverse("voices:voice_dataset", args=[guide.pk])


def _list_import_pages(studio: FullStudio) -> Iterator[tuple[str, str]]:
    review = reverse("voices:import_detail", args=[studio.imports.open.pk])
    yield "import", review
    for show in ("lines", "duplicates", "refused"):
        yield f"import-{show}", f"{review}?show={show}"
    yield "import-running", reverse("voices:import_detail", args=[studio.imports.running.pk])
    yield "import-report", reverse("voices:import_detail", args=[studio.imports.added.pk])
    yield "import-discard", reverse("voices:import_discard", args=[studio.imports.open.pk])


def _list_build_pages(studio: FullStudio) -> Iterator[tuple[str, str]]:
    yield "builds", reverse("voices:build_list")
    yield "build-ready", studio.compared[0].get_absolute_url()
    yield "build-flagged", Build.objects.filter(status=BuildStatus.DATASET_ISSUE)[0].get_absolute_url()
    yield "build-failed", Build.objects.filter(status=BuildStatus.FAILED)[0].get_absolute_url()
    yield "build-training", Build.objects.filter(status=BuildStatus.TRAINING)[0].get_absolute_url()
    yield "build-unconfirmed", Build.objects.filter(status=BuildStatus.UNCONFIRMED)[0].get_absolute_url()
    compared = "&".join(f"build={build.pk}" for build in studio.compared)
    yield "compare", f"{reverse('voices:compare')}?{compared}"
    yield "remote-voice", studio.compared[0].remote_voice.get_absolute_url()
    deleting = RemoteVoice.objects.filter(deletion_requested_at__isnull=False, deleted_at=None)[0]
    yield "remote-voice-deletion", deleting.get_absolute_url()


def _list_account_pages(studio: FullStudio) -> Iterator[tuple[str, str]]:
    yield "accounts", reverse("voices:account_list")
    yield "account", reverse("voices:account", args=[studio.accounts["audiostack"].pk])
    yield "spend", reverse("voices:spend")
    yield "unknown-voices", reverse("voices:unknown_voices", args=[studio.accounts["voiceai"].pk])
    yield "deletions", reverse("voices:deletion_list")
    yield "search", f"{reverse('voices:search')}?q=museum"
    yield "notifications", reverse("notifications")
    yield "profile", reverse("profile")


def _list_admin_pages(studio: FullStudio) -> Iterator[tuple[str, str]]:
    yield "admin", reverse("admin:index")
    yield "admin-builds", reverse("admin:voices_build_changelist")
    yield "admin-build", reverse("admin:voices_build_change", args=[studio.compared[0].pk])
    yield "admin-consents", reverse("admin:consent_consent_changelist")
    yield "admin-users", reverse("admin:voicehub_user_changelist")
    yield "admin-security-events", reverse("admin:voicehub_securityevent_changelist")
