"""Forms about private links: their last day, and what a talent writes on the pages behind them."""

from datetime import date

from django import forms

from consent.forms import DATE_WIDGET, TalentForm
from consent.services.link_days import check_last_day
from voicehub.refusals import ActionRefused


class LastDayForm(forms.Form):
    """The new last day of links."""

    day = forms.DateField(
        label="Last day to answer", widget=DATE_WIDGET, error_messages={"required": "Choose the last day."}
    )

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        try:
            check_last_day(day)
        except ActionRefused as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return day


class TalentEditForm(TalentForm):
    """The details of a talent. Links that were mailed to the earlier address end, so the form offers a new one."""

    send_link = forms.BooleanField(
        label="If the email address changes, send a new private link to the new address",
        required=False,
        initial=True,
        help_text="The links that were mailed to the address of before stop working, and that address is told.",
    )

    def offer_link(self, *, is_offered: bool) -> None:
        if not is_offered:
            del self.fields["send_link"]
