"""A chart and its table."""

from dataclasses import replace

from django.template.loader import render_to_string

from voicehub.charts import Chart, ChartKind, Limit, Series
from voicehub.templatetags.charts import show_value, write_number

CHART = Chart(
    title="Signal <to> noise",
    kind=ChartKind.LINE,
    x_label="Day",
    y_label="dB",
    x_values=("Mon", "Tue"),
    series=(Series("Room A", {"Mon": 41.256, "Tue": -3.0}), Series("Room B", {"Tue": 0.0})),
    limit=Limit("Lowest", 20.5),
)


def test_missing_value_is_a_gap_and_zero_is_a_value() -> None:
    assert list(CHART.rows) == [("Mon", "", [41.256, None]), ("Tue", "", [-3.0, 0.0])]


def test_script_reads_exact_numbers_and_reader_sees_short_ones() -> None:
    assert [write_number(value) for value in (41.256, -3.0, 0, None, "Mon")] == ["41.256", "-3.0", "0", "", "Mon"]
    assert [show_value(value) for value in (41.256, -3.0, 0, None, "Mon", 12000, -0.001)] == [
        "41.26", "−3", "0", "–", "Mon", "12,000", "0",
    ]  # fmt: skip


def test_drawing_reads_the_short_tick_and_the_table_has_the_whole_label() -> None:
    chart = replace(CHART, ticks={"Mon": "M"}, is_bare=True)
    html = render_to_string("studio/chart.html", {"chart": chart})
    assert 'data-value="Mon" data-tick="M">Mon</th>' in html and 'data-value="Tue">Tue</th>' in html
    assert "data-bare" in html and "data-bare" not in render_to_string("studio/chart.html", {"chart": CHART})


def test_table_of_a_chart_has_every_value() -> None:
    html = render_to_string("studio/chart.html", {"chart": CHART})
    assert "Signal &lt;to&gt; noise" in html
    assert 'data-limit="20.5" data-limit-label="Lowest"' in html
    assert "data-min" not in html
    for cell in ('<th scope="row" data-value="Mon">Mon</th>', 'data-value="41.256">41.26<', 'data-value="">–<'):
        assert cell in html
