"""Sign-in as a person does it: a forgotten password, an authenticator app, recovery codes, a passkey, sessions."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.studio import GUARDED_ROLE, PASSWORD, Studio
from tests.browser.tab import Tab
from tests.voicehub.sign_in.codes import compute_code

OpenTab = Callable[..., Tab]
NEW_PASSWORD = "correct horse battery"
# A security key of the device itself, which recognizes its person (WebDriver's virtual authenticator).
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def enter_password(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def enter_code(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continue").click()


def expect_today(page: Page) -> None:
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()


def sign_out(page: Page) -> None:
    page.locator(".vh-own summary").click()
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    expect(page.get_by_role("heading", name="Sign in to VoiceHub")).to_be_visible()


def add_app(tab: Tab) -> tuple[str, list[str]]:
    """Add an authenticator app. Return its secret and the recovery codes."""
    page = tab.goto("/profile/")
    page.get_by_role("link", name="Add an app").click()
    tab.check_page("authenticator app")
    page.get_by_text("Enter a key instead").click()
    secret = page.locator(".factor-key").inner_text()
    page.get_by_label("Code").fill(compute_code(secret))
    page.get_by_role("button", name="Add the app").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    tab.check_page("recovery codes")
    codes = page.locator(".recovery-codes code").all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    tab.check_page("profile with a second factor")
    return secret, codes


def test_forgotten_password_is_chosen_again_by_mail(studio: Studio, open_tab: OpenTab) -> None:
    studio.create_user("rita", "viewer")
    tab = open_tab("phone")
    page = tab.goto("/")
    tab.check_page("sign-in")
    page.get_by_role("link", name="Forgot the password?").click()
    tab.check_page("forgotten password")
    page.get_by_label("Email").fill("rita@studio.test")
    page.get_by_role("button", name="Send the mail").click()
    tab.check_page("mail with a link sent")
    link = re.search(r"http://\S+/password/new/\S+", studio.wait_for_mail("rita@studio.test"))
    assert link
    page.goto(link[0])
    tab.check_page("new password")
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_label("Repeat the password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Save the password").click()
    page.get_by_role("link", name="Go to the sign-in").click()
    enter_password(page, "rita", PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong.")
    enter_password(page, "rita", NEW_PASSWORD)
    expect_today(page)
    page.goto(link[0])
    expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()


def test_app_and_recovery_code_are_asked_for_after_the_password(studio: Studio, open_tab: OpenTab) -> None:
    studio.create_user("theo", "viewer")
    tab = open_tab("desktop")
    page = tab.goto("/")
    enter_password(page, "theo")
    expect_today(page)
    secret, codes = add_app(tab)
    sign_out(page)
    enter_password(page, "theo")
    tab.check_page("second factor")
    enter_code(page, "000000")
    expect(page.get_by_text("The code is wrong")).to_be_visible()
    enter_code(page, codes[0])
    expect_today(page)
    sign_out(page)
    enter_password(page, "theo")
    enter_code(page, codes[0])
    expect(page.get_by_text("The code is wrong")).to_be_visible()
    enter_code(page, codes[1])
    expect_today(page)
    tab.goto("/profile/")
    expect(page.get_by_text("8 left")).to_be_visible()
    assert secret not in page.content()


def test_passkey_signs_in_without_a_password(studio: Studio, open_tab: OpenTab) -> None:
    """At localhost, because browsers allow no passkeys at an address of digits."""
    studio.create_user("pia", "viewer")
    tab = open_tab("desktop")
    page, address = tab.page, studio.address.replace("127.0.0.1", "localhost")
    devices = tab.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.goto(address)
    enter_password(page, "pia")
    expect_today(page)
    page.goto(f"{address}/profile/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Pia's laptop")
    tab.check_page("add a passkey")
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto(f"{address}/profile/")
    expect(page.get_by_role("strong").filter(has_text="Pia's laptop")).to_be_visible()
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect_today(page)
    sign_out(page)
    enter_password(page, "pia")
    page.get_by_role("button", name="Use a passkey").click()
    expect_today(page)


def test_address_of_digits_says_why_it_has_no_passkeys(studio: Studio, open_tab: OpenTab) -> None:
    studio.create_user("noa", "viewer")
    tab = open_tab("desktop")
    page = tab.goto("/")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    enter_password(page, "noa")
    expect_today(page)
    tab.goto("/profile/passkeys/add/")
    expect(page.get_by_text("cannot create passkeys at this address")).to_be_visible()
    expect(page.get_by_role("button", name="Create the passkey")).to_be_hidden()


def test_other_sessions_are_listed_and_ended(studio: Studio, open_tab: OpenTab) -> None:
    studio.create_user("sven", "viewer")
    tabs = [open_tab("desktop"), open_tab("phone")]
    for tab in tabs:
        enter_password(tab.goto("/"), "sven")
        expect_today(tab.page)
    here, other = tabs
    here.goto("/profile/")
    here.check_page("profile with two sessions")
    here.page.get_by_role("button", name="Sign out everywhere else").click()
    expect(here.page.get_by_text("Signed out in 1 other browser.")).to_be_visible()
    other.goto("/")
    expect(other.page.get_by_role("heading", name="Sign in to VoiceHub")).to_be_visible()


def test_role_that_must_have_a_second_factor_sets_it_up_first(studio: Studio, open_tab: OpenTab) -> None:
    studio.create_user("greta", "viewer", GUARDED_ROLE)
    tab = open_tab("desktop")
    page = tab.goto("/")
    enter_password(page, "greta")
    expect(page.get_by_role("alert")).to_contain_text("Your role needs a second factor.")
    tab.check_page("profile without the demanded factor")
    tab.goto("/talents/")
    expect(page.get_by_role("alert")).to_contain_text("Your role needs a second factor.")
    add_app(tab)
    tab.goto("/")
    expect_today(page)
