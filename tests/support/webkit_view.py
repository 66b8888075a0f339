"""A WebKitGTK window of the size of a phone, which a WebDriver can control. MiniBrowser cannot be as narrow as a phone.

WebKitWebDriver starts it as its browser, with the Python of the system, which has the bindings.
"""

import sys
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402 - the versions must be chosen before

WIDTH, HEIGHT = 390, 844


def allow(_view: Any, request: Any) -> bool:
    request.allow()
    return True


def make_view(folder: str) -> Any:
    manager = WebKit2.WebsiteDataManager(base_data_directory=f"{folder}/data", base_cache_directory=f"{folder}/cache")
    context = WebKit2.WebContext.new_with_website_data_manager(manager)
    context.set_automation_allowed(True)
    view = WebKit2.WebView(web_context=context, is_controlled_by_automation=True)
    settings = view.get_settings()
    settings.set_enable_media_stream(True)
    settings.set_enable_write_console_messages_to_stdout(True)
    settings.set_hardware_acceleration_policy(WebKit2.HardwareAccelerationPolicy.NEVER)
    view.connect("permission-request", allow)
    context.connect("automation-started", lambda _context, session: start_session(session, view))
    return view


def start_session(session: Any, view: Any) -> None:
    info = WebKit2.ApplicationInfo()
    info.set_name("webkit_view")
    session.set_application_info(info)
    session.connect("create-web-view", lambda _session: view)


def main(folder: str) -> None:
    view = make_view(folder)
    window = Gtk.Window()
    window.set_decorated(False)
    window.resize(WIDTH, HEIGHT)
    window.add(view)
    window.show_all()
    window.connect("destroy", Gtk.main_quit)
    view.load_uri("about:blank")
    Gtk.main()


main(sys.argv[1])
