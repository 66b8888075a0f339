"""What VoiceHub's own findings predicted in past builds: how often the provider marked a recording that had them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import BooleanField, Case, Count, Value, When

from providers import registry
from voices.models import BuildRecording
from voices.models.build import MARKED, PREDICTS

# With fewer cases, a share is chance.
MIN_CASES = 3
# The newest ones tell enough, and a page that counts them costs the same after years.
MAX_CASES = 5000
LIKELY_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Prediction:
    """Of `reported_count` recordings that had this finding when a build started, the provider marked `marked_count`."""

    provider: str
    marked_count: int
    reported_count: int

    @property
    def is_likely(self) -> bool:
        """Whether the finding alone is a reason to expect a mark."""
        return self.reported_count >= MIN_CASES and self.marked_count >= LIKELY_SHARE * self.reported_count

    @property
    def text(self) -> str:
        label = registry.get_provider_label(self.provider)
        were = "was" if self.marked_count == 1 else "were"
        return f"{self.marked_count} of {self.reported_count} with this finding {were} flagged by {label}"


# By the slug of the provider and the code of the finding. A finding without a case is not in it.
Predictions = Mapping[tuple[str, str], Prediction]


def load_predictions() -> Predictions:
    """Count the newest reported recordings that had a finding, in one query."""
    newest = BuildRecording.objects.filter(PREDICTS).order_by("-pk").values("pk")[:MAX_CASES]
    rows = BuildRecording.objects.filter(pk__in=newest)
    has_mark = Case(When(MARKED, then=Value(True)), default=Value(False), output_field=BooleanField())
    groups = (
        rows.annotate(has_mark=has_mark)
        .values_list("build__remote_voice__account__provider", "finding_codes", "has_mark")
        .annotate(cases=Count("pk"))
        .order_by()
    )
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for provider, codes, marked, cases in groups:
        for code in set(codes):
            counts[provider, code][0] += cases if marked else 0
            counts[provider, code][1] += cases
    return {key: Prediction(key[0], marked, reported) for key, (marked, reported) in counts.items()}
