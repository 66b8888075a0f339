"""The ticks of the form for requests: a matrix of purposes and providers, with what speaks against each."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from consent.extension_points import get_provider_label
from consent.models import Purpose
from consent.request_forms import ManyUsesForm
from consent.services.request_rules import Use, UseVerdict

REPLACED = "A new approval replaces it."


@dataclass(frozen=True, slots=True)
class UseChoice:
    """One tick. A use with a problem cannot be ticked."""

    provider: str
    purpose: str
    verdict: UseVerdict
    is_ticked: bool

    @property
    def value(self) -> str:
        return f"{self.provider}:{self.purpose}"

    @property
    def provider_label(self) -> str:
        return get_provider_label(self.provider)

    @property
    def purpose_label(self) -> str:
        return str(Purpose(self.purpose).label)


@dataclass(frozen=True, slots=True)
class ProviderColumn:
    """A provider. `problem` is why none of its ticks can be set, if the reason is the same for all."""

    slug: str
    label: str
    problem: str
    mark: str


@dataclass(frozen=True, slots=True)
class PurposeRow:
    """A purpose at each provider. `problem` is the one reason why it can be ticked nowhere."""

    purpose: str
    label: str
    problem: str
    choices: Sequence[UseChoice]


@dataclass(frozen=True, slots=True)
class UseMatrix:
    """Purposes down, providers across. `legend` has the words of the cells and what they mean."""

    columns: Sequence[ProviderColumn]
    rows: Sequence[PurposeRow]
    legend: Sequence[tuple[str, str]]

    @property
    def ticked(self) -> list[UseChoice]:
        return [choice for row in self.rows for choice in row.choices if choice.is_ticked]

    @property
    def ticked_by_provider(self) -> list[tuple[str, list[str]]]:
        """The label of each provider with the purposes that are ticked there."""
        labels: dict[str, list[str]] = {column.label: [] for column in self.columns}
        for choice in self.ticked:
            labels[choice.provider_label].append(choice.purpose_label)
        return [(label, purposes) for label, purposes in labels.items() if purposes]


def make_use_matrix(form: ManyUsesForm, judge: Callable[[Use], UseVerdict]) -> UseMatrix:
    ticked = set(form["use"].value() or ())
    uses = [Use(slug, form.selected_language, purpose) for purpose in Purpose.values for slug in form.providers]
    choices = [_make_choice(use, judge(use), ticked) for use in uses]
    columns = [_make_column(slug, [one for one in choices if one.provider == slug]) for slug in form.providers]
    is_open = {column.slug: not column.problem for column in columns}
    rows = [_make_row(value, [one for one in choices if one.purpose == value], is_open) for value in Purpose.values]
    return UseMatrix(columns, rows, _explain_marks(columns, rows))


def _make_choice(use: Use, verdict: UseVerdict, ticked: Collection[str]) -> UseChoice:
    is_ticked = f"{use.provider}:{use.purpose}" in ticked
    return UseChoice(use.provider, use.purpose, verdict, is_ticked and not verdict.problem)


def _make_column(slug: str, choices: Sequence[UseChoice]) -> ProviderColumn:
    problem = _find_common_problem(choices)
    return ProviderColumn(slug, get_provider_label(slug), problem, choices[0].verdict.mark if problem else "")


def _make_row(purpose: str, choices: Sequence[UseChoice], is_open: dict[str, bool]) -> PurposeRow:
    problem = _find_common_problem([choice for choice in choices if is_open[choice.provider]])
    return PurposeRow(purpose, str(Purpose(purpose).label), problem, choices)


def _find_common_problem(choices: Sequence[UseChoice]) -> str:
    problems = {choice.verdict.brief for choice in choices}
    return problems.pop() if len(problems) == 1 else ""


def _explain_marks(columns: Sequence[ProviderColumn], rows: Sequence[PurposeRow]) -> list[tuple[str, str]]:
    """Each word with its sentence, once. A row with one problem says it itself."""
    verdicts = [choice.verdict for row in rows if not row.problem for choice in row.choices]
    marked = [(one.mark, one.problem) for one in columns if one.problem]
    marked += [(verdict.mark, verdict.brief or REPLACED) for verdict in verdicts if verdict.mark]
    return list(dict.fromkeys(marked))
