"""The ticks of the form for requests: the purposes of each provider, with what speaks against each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consent.extension_points import get_provider_label
from consent.models import Purpose
from consent.request_forms import ManyUsesForm
from consent.services.request_rules import Use, UseVerdict


@dataclass(frozen=True, slots=True)
class UseChoice:
    """One tick. A use with a problem cannot be ticked."""

    value: str
    label: str
    verdict: UseVerdict
    is_ticked: bool


@dataclass(frozen=True, slots=True)
class ProviderChoices:
    """The ticks of one provider."""

    provider: str
    choices: Sequence[UseChoice]

    @property
    def label(self) -> str:
        return get_provider_label(self.provider)

    @property
    def problem(self) -> str:
        """Why none of them can be ticked, if the reason is the same for all."""
        problems = {choice.verdict.brief for choice in self.choices}
        return problems.pop() if len(problems) == 1 else ""


def list_provider_choices(form: ManyUsesForm, judge: Callable[[Use], UseVerdict]) -> list[ProviderChoices]:
    return [_make_choices(form, provider, judge) for provider in form.providers]


def _make_choices(form: ManyUsesForm, provider: str, judge: Callable[[Use], UseVerdict]) -> ProviderChoices:
    ticked = set(form["use"].value() or ())
    choices = []
    for purpose, label in Purpose.choices:
        value = f"{provider}:{purpose}"
        verdict = judge(Use(provider, form.selected_language, purpose))
        choices.append(UseChoice(value, str(label), verdict, value in ticked and not verdict.problem))
    return ProviderChoices(provider, choices)
