"""The result of a build: what the provider flagged is excluded, and one new build is started and reported."""

import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.browser import staff_steps
from tests.browser.shared_talent import SharedTalent
from tests.browser.studio import Studio
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]

GOOD_CLIPS = staff_steps.SLT_CLIPS[:5]
OTHER_SPEAKER = "rms-01"


def count_billed(studio: Studio) -> Counter[str]:
    return Counter(line["operation"] for line in studio.sandbox.read_ledger())


def build_marked_set(tab: Tab, shared_talent: SharedTalent) -> str:
    """Build a voice with a recording of another speaker. Return the path of the build, which needs work."""
    account = shared_talent.get_account(staff_steps.PROVIDER)
    shared_talent.grant_consent(staff_steps.PROVIDER)
    shared_talent.add_voice(tab, "Cass, without the other", [*GOOD_CLIPS, OTHER_SPEAKER])
    staff_steps.put_back(tab.page, OTHER_SPEAKER, account=account)
    build = staff_steps.start_build(tab, account=account)
    staff_steps.wait_for_heading(tab.page, "Next: exclude 1 recording and build again")
    return build


def check_marked(tab: Tab) -> None:
    """Check the timeline, and that the marked recording comes first and plays."""
    page = tab.page
    expect(page.locator(".vh-timeline strong")).to_have_text(["Queued", "Sending", "Training", "Needs work"])
    expect(page.locator(".vh-timeline .duration").last).to_have_text(re.compile(r"\d+ s$"))
    first = page.locator("table.report tbody tr:not(.report-group)").first
    expect(first).to_contain_text(f"{OTHER_SPEAKER}.wav")
    expect(first).to_contain_text("Other speaker or sound")
    play = first.get_by_role("button", name=f"Play {OTHER_SPEAKER}.wav")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    play.click()
    tab.check_page("build with a marked recording")


def check_result(tab: Tab) -> None:
    """Check the gauges, a distribution and its table, and the changes."""
    page = tab.page
    expect(page.locator(".vh-gauge")).to_have_count(4)
    expect(page.locator("table.report tbody tr:not(.report-group)")).to_have_count(len(GOOD_CLIPS))
    page.locator("summary:has-text('Score distributions')").click()
    expect(page.locator("[data-chart] canvas").first).to_be_visible()
    fold = page.locator("[data-chart] details").first
    fold.locator("summary").press("Enter")
    counts = fold.locator("tbody tr td:first-of-type").all_inner_texts()
    assert sum(int(count) for count in counts if count != "–") == len(GOOD_CLIPS)
    expect(page.locator("#changes dt:has-text('Excluded') + dd")).to_contain_text(f"{OTHER_SPEAKER}.wav")
    tab.check_page("build without the marked recording")


def download(page: Page, name: str, folder: Path) -> Path:
    link = page.get_by_role("link", name=name)
    if not link.is_visible():
        page.locator("#build-actions summary", has_text="Export").click()
    with page.expect_download() as event:
        link.click()
    path = folder / event.value.suggested_filename
    event.value.save_as(path)
    return path


def check_downloads(page: Page, folder: Path) -> None:
    report = download(page, "Report as PDF", folder)
    text = "\n".join(part.extract_text() for part in PdfReader(report).pages)
    for expected in ("Cass, without the other", "Quality scores of Resemble AI", "Changes since build 1", "Evidence"):
        assert expected in text
    table = download(page, "Export as CSV", folder)
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["file"] for row in rows) == [f"{name}.wav" for name in GOOD_CLIPS]
    assert all(row["sample_score"] and row["our_quality"] and row["in_builds"] == "True" for row in rows)


def test_marked_recordings_are_left_out_and_one_build_is_started(
    studio: Studio, open_tab: OpenTab, shared_talent: SharedTalent, tmp_path: Path
) -> None:
    tab = open_tab("desktop", "paula")
    first = build_marked_set(tab, shared_talent)
    check_marked(tab)
    stale = open_tab("desktop", "paula")
    stale.goto(first)
    phone = open_tab("phone", "paula")
    phone.goto(first)
    phone.check_page("build with a marked recording")
    billed = count_billed(studio)

    name = "Exclude this recording and build again"
    tab.page.get_by_role("button", name=name).click()
    expect(tab.page.get_by_text("1 recording was excluded, and this build was started.")).to_be_visible()
    second = staff_steps.read_path(tab.page)
    assert second != first
    stale.page.get_by_role("button", name=name).click()
    expect(stale.page.get_by_text("This build had already been started. Nothing was started again.")).to_be_visible()
    assert staff_steps.read_path(stale.page) == second
    staff_steps.wait_for_heading(tab.page, "Quality scores")
    new = count_billed(studio) - billed
    assert new["build_voice"] == 1 and set(new.values()) == {1}, new

    check_result(tab)
    phone.goto(second)
    phone.check_page("build without the marked recording")
    check_downloads(tab.page, tmp_path)
    expect(tab.goto(first).get_by_role("heading", name="Next: fix recordings")).to_be_visible()
    expect(tab.page.get_by_role("button", name=name)).to_have_count(0)
