"""Where on a voice's page each kind of lack or advice is seen to, the words of the link to it, and who may."""

from voices.services import Lacks

MENDED_BY = {
    Lacks.RECORDINGS: ("#upload", "Add recordings", "voices.add_recording"),
    Lacks.LENGTH: ("?show=usable&sort=shortest#recordings", "Show them", ""),
    Lacks.TRANSCRIPTS: ("?show=no_transcript#recordings", "Add transcripts", "voices.change_recording"),
    Lacks.SHORTER_TRANSCRIPTS: ("?show=usable#recordings", "Show them", ""),
    Lacks.TRAINED_LENGTH: ("?show=usable&sort=longest#recordings", "Show them", ""),
    Lacks.LANGUAGE: ("", "", ""),  # nothing here mends it
    Lacks.UNMARKED: ("?show=marked#recordings", "Show them", ""),
}
