"""The pages of a voice: adding one, and the page where its recordings come together and builds begin."""

import math
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from consent.access import may, user_of
from consent.models import Consent, Talent
from consent.services import NotPossible
from voices import access, services
from voices.forms import VoiceForm
from voices.models import Account, Handover, Voice
from voices.services import Readiness
from voices.views.mending import MENDED_BY
from voices.views.moving import moving
from voices.views.table import recording_page


@dataclass(frozen=True, slots=True)
class Link:
    """Something that is missing or could be better, with where it is mended and who may follow the link."""

    text: str
    url: str
    link: str
    permission: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One account and tier on the voice's page: what a build there still lacks."""

    account: Account
    readiness: Readiness
    asked: Consent | None

    @property
    def key(self) -> str:
        """Names the card's elements in the page."""
        return f"{self.account.pk}-{self.readiness.capabilities.tier}"

    @property
    def ways(self) -> list[tuple[str, str]]:
        """The ways of handing over that both the provider and VoiceHub know, with their words."""
        offered = [str(way) for way in self.readiness.capabilities.handover]
        return [(value, label) for value, label in Handover.choices if value in offered]

    @property
    def count_met(self) -> bool:
        return self.readiness.count >= self.readiness.needed_count

    @property
    def whole_seconds(self) -> int:
        """Rounded down, so that with what is missing they add up to what is needed."""
        return math.floor(self.readiness.seconds)

    @property
    def seconds_met(self) -> bool:
        return self.readiness.seconds >= self.readiness.needed_seconds

    @property
    def lacks(self) -> list[Link]:
        return [Link(lack.text, *MENDED_BY[lack.kind]) for lack in self.readiness.lacks]

    @property
    def advice(self) -> list[Link]:
        found = [Link(advice.text, *MENDED_BY[advice.kind]) for advice in self.readiness.advice]
        if error := self.account.last_error:
            text = f"The last call with this account failed: {error}"
            found.append(Link(text, reverse("voices:account_list"), "Accounts", "voices.view_account"))
        return found


@may("voices.add_voice")
@require_http_methods(["GET", "HEAD", "POST"])
def voice_add(request: HttpRequest, pk: str) -> HttpResponse:
    talent = get_object_or_404(Talent, pk=pk)
    form = VoiceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            voice = services.create_voice(talent, **form.cleaned_data, by=user_of(request))
        except NotPossible as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, f"{voice.name} is set up. Add its recordings next.")
            return redirect(voice)
    return render(request, "voices/voice_add.html", {"talent": talent, "form": form})


@may("voices.view_voice")
@require_safe
def voice(request: HttpRequest, pk: str) -> HttpResponse:
    voice = get_object_or_404(access.voices(), pk=pk)
    builds = access.builds().filter(voice=voice)[:50]
    context = {"voice": voice, "builds": builds, "moving": moving(voice)}
    return render(request, "voices/voice.html", context | readiness_context(voice) | recording_page(voice, request.GET))


@may("voices.view_voice")
@require_safe
def readiness(request: HttpRequest, pk: str) -> HttpResponse:
    """The readiness cards alone, for a page whose recordings have changed."""
    voice = get_object_or_404(access.voices(), pk=pk)
    return render(request, "voices/_readiness.html", {"voice": voice, **readiness_context(voice)})


def readiness_context(voice: Voice) -> dict[str, Any]:
    """The cards; each knows the newest consent that was asked for, whatever became of it."""
    asked = {
        consent.provider: consent
        for consent in Consent.objects.filter(talent=voice.talent_id, purpose=voice.purpose).order_by("created_at")
    }
    found = services.all_readiness(voice)
    return {"cards": [Card(account, readiness, asked.get(account.provider)) for account, readiness in found]}
