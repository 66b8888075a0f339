"""A talent plays recordings that have arrived: one at a time, from any position, by keyboard."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser import sound
from tests.browser.studio import Studio
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]
PROVIDERS = ("resemble_v2", "audiostack")
MAX_PAGE_BYTES = 100_000
CREATE_LINK = """
from pathlib import Path
from consent.models import Capture, Purpose
from consent.services.invitations import create_private_link, request_consent
from consent.services.takes import submit_take
from tests.browser import prepared
from tests.consent.rows import make_upload
from voicehub.models import User
producer = User.objects.get(username="paula")
talent = prepared.add_talent({name!r}, "", {providers!r})
requests = [request_consent(talent, one, "en-US", Purpose.NARRATION, producer) for one in {providers!r}]
for number, request in enumerate(requests):
    submit_take(request, make_upload(Path({clips!r}[number]).read_bytes()), Capture.LINK)
Path({file!r}).write_text(create_private_link(requests, producer))
"""


@pytest.fixture
def tab(studio: Studio, open_tab: OpenTab, request: pytest.FixtureRequest, tmp_path: Path) -> Tab:
    """A phone with the first page of a talent who has sent two recordings."""
    clips = [tmp_path / "one.wav", tmp_path / "two.wav"]
    for number, clip in enumerate(clips):
        clip.write_bytes(sound.read_clip("consent-slt", number / 10))
    file, clip_names = tmp_path / "link.txt", [str(clip) for clip in clips]
    script = CREATE_LINK.format(name=request.node.name, providers=PROVIDERS, clips=clip_names, file=str(file))
    studio.run_script(script)
    tab = open_tab("phone")
    tab.goto(urlsplit(file.read_text()).path)
    return tab


def list_playing(page: Page) -> list[bool]:
    found: list[bool] = page.locator("audio").evaluate_all("(all) => all.map((audio) => !audio.paused)")
    return found


def test_first_page_plays_one_recording_at_a_time(tab: Tab) -> None:
    page = tab.page
    players = page.get_by_role("group", name="Your recording")
    expect(players).to_have_count(2)
    for player in players.all():
        expect(player).to_contain_text("0:00 / 0:0")
        bars = player.locator("[data-part=bars]").get_attribute("d") or ""
        assert bars.count("v") == 56
    tab.check_page("first page with recordings")
    players.first.get_by_role("button", name="Play").click()
    expect(players.first.get_by_role("button", name="Pause")).to_be_visible()
    players.last.get_by_role("button", name="Play").click()
    expect(players.last.get_by_role("button", name="Pause")).to_be_visible()
    expect(players.first.get_by_role("button", name="Play")).to_be_visible()
    assert list_playing(page) == [False, True]
    expect(players.last).to_have_attribute("data-begun", "")
    players.last.get_by_role("button", name="Pause").click()
    expect(players.last.get_by_role("button", name="Play")).to_be_visible()
    assert list_playing(page) == [False, False]
    tab.check_page("first page with a played recording")


def test_position_moves_by_keyboard_and_shows_in_the_waveform(tab: Tab) -> None:
    page = tab.page
    player = page.get_by_role("group", name="Your recording").first
    position = player.get_by_role("slider", name="Position in your recording")
    player.get_by_role("button", name="Play").click()
    player.get_by_role("button", name="Pause").click()
    position.focus()
    position.press("End")
    played = player.locator(".is-played")
    expect(played).to_have_css("clip-path", re.compile(r"inset\(-2px [0-3](\.\d+)?% -2px 0px\)"))
    position.press("Home")
    expect(played).to_have_css("clip-path", "inset(-2px 100% -2px 0px)")
    player.get_by_role("button", name="Play").focus()
    page.keyboard.press("Space")
    expect(player.get_by_role("button", name="Pause")).to_be_focused()


def test_player_is_visible_with_forced_colors(tab: Tab) -> None:
    page = tab.page
    page.emulate_media(forced_colors="active")
    player = page.get_by_role("group", name="Your recording").first
    read = "(one, name) => getComputedStyle(one)[name]"
    canvas = page.locator("body").evaluate(read, "backgroundColor")
    bars = player.locator("[data-part=bars]").evaluate(read, "stroke")
    sign, disc = player.locator(".take-play svg").evaluate(read, "fill"), player.locator(".take-play")
    assert bars != canvas and sign != disc.evaluate(read, "backgroundColor")


def test_first_page_with_recordings_transfers_under_100_kb(tab: Tab) -> None:
    page = tab.page
    network = tab.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.reload()
    page.wait_for_load_state("networkidle")
    sizes = page.evaluate(
        """() => Object.fromEntries(["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
          .map((entry) => [entry.name, entry.transferSize]))"""
    )
    assert not [name for name in sizes if name.endswith("recording.wav")], "nothing is loaded before it is played"
    assert sum(sizes.values()) < MAX_PAGE_BYTES, sizes
