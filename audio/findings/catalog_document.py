"""Findings for a contract that is filed as a PDF."""

from audio.findings.templates import make_error, make_warning

SAVE_AGAIN = "Print or scan the contract to a new PDF and file that one."
CHECK_SENDER = "File it only if you know who made the PDF. VoiceHub never opens it in the browser."

CODES = {
    "pdf_broken": make_error("This PDF cannot be opened; it may be damaged.", SAVE_AGAIN),
    "pdf_without_page": make_error("This PDF has no page.", SAVE_AGAIN),
    "pdf_locked": make_error(
        "This PDF needs a password to be opened.", "Open it with the password, save it without one, and file that PDF."
    ),
    "pdf_too_large": make_error("The content of this PDF is too large to be opened.", SAVE_AGAIN),
    "pdf_script": make_warning("The PDF contains scripts.", CHECK_SENDER),
    "pdf_action": make_warning("The PDF starts an action by itself when it is opened.", CHECK_SENDER),
    "pdf_launch": make_warning("The PDF can start other programs or open other files.", CHECK_SENDER),
    "pdf_attachment": make_warning(
        "The PDF has other files attached.", "Check that the attached files belong to the contract."
    ),
    "pdf_xfa": make_warning(
        "The PDF is a dynamic form (XFA). Many programs show another text than the signed one.", SAVE_AGAIN
    ),
}
