"""The shell of staff pages: the rail of a wide window, the menu of a narrow one, the font, charts, components."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.tab import Tab

NARROW = {"width": 390, "height": 844}
# A width on each side of every change of the layout, down to the narrowest that WCAG asks for.
WIDTHS = (320, 640, 800, 900, 1099, 1101, 1440)


def test_wide_window_shows_links_in_a_rail_and_narrow_one_in_a_menu(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab("desktop", "paula")
    page = tab.goto("/")
    rail = page.get_by_role("navigation", name="Main", exact=True)
    expect(rail.get_by_role("link", name="Today")).to_have_attribute("aria-current", "page")
    expect(page.get_by_text("Menu", exact=True)).to_be_hidden()
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # a valid size
    expect(rail).to_be_hidden()
    menu = page.locator("summary", has_text="Menu")
    menu.press("Enter")
    expect(page.get_by_role("navigation", name="Main, in a menu").get_by_role("link", name="Talents")).to_be_visible()
    tab.check_page("menu")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    menu.press("Enter")
    page.get_by_role("link", name="Talents").press("Enter")
    expect(page.get_by_role("heading", name="Talents", exact=True)).to_be_visible()


def test_rail_has_the_name_of_the_studio_and_icons(open_tab: Callable[..., Tab]) -> None:
    page = open_tab("desktop", "paula").goto("/")
    expect(page.get_by_role("link", name="Northlight Voices VoiceHub")).to_be_visible()
    icons = page.get_by_role("navigation", name="Main", exact=True).locator("svg.vh-icon")
    expect(icons).to_have_count(6)
    assert all(icon.bounding_box()["width"] == 18 for icon in icons.all())  # type: ignore[index]  # it is visible


def test_pages_load_the_font_of_the_tokens(open_tab: Callable[..., Tab]) -> None:
    page = open_tab("desktop", "paula").goto("/")
    page.evaluate("document.fonts.ready")
    assert page.evaluate(
        "[...document.fonts].some((font) => font.status === 'loaded' && font.family.includes('Inter'))"
    )
    assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith('"Inter Variable"')


def test_component_page_fits_every_width(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab("desktop", "ada")
    page = tab.goto("/components/")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    tab.check_page("components")


# Whether a canvas has more than one color.
IS_DRAWN = """canvas => new Set(new Uint32Array(
    canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size > 1"""


def test_chart_draws_its_table_in_both_themes(open_tab: Callable[..., Tab]) -> None:
    page = open_tab("desktop", "ada").goto("/components/")
    drawing = page.get_by_role("img", name="Similarity over the builds.")
    for canvas in page.locator("[data-chart] canvas").all():
        canvas.scroll_into_view_if_needed()  # a chart is drawn when it comes near the window
    expect(drawing).to_be_visible()
    page.wait_for_function(f"[...document.querySelectorAll('[data-chart] canvas')].filter({IS_DRAWN}).length === 3")
    light = drawing.evaluate("canvas => canvas.toDataURL()")
    page.evaluate("document.documentElement.setAttribute('data-bs-theme', 'dark')")
    page.wait_for_function(
        "light => document.querySelectorAll('[data-chart] canvas')[1].toDataURL() !== light", arg=light
    )
    page.locator("summary", has_text="Similarity over the builds").press("Enter")
    row = page.get_by_role("row", name="Build 4")
    expect(row.locator("th, td")).to_have_text(["Build 4", "0.78", "–"])
