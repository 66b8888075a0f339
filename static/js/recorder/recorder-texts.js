// What the recorder says.
import { translate } from "../translate.js";

export const FIRST_MICROPHONE = translate("First the microphone. It is only used while this page is open.");
export const RECORDING = translate("Recording. Read the text aloud, then press Stop.");
export const EARLIER_TAKE = translate("You made this recording here earlier. It has not been sent yet.");
export const EARLIER_PART = translate("The page closed while you were recording. This is what your browser has kept.");
export const INTERRUPTED = translate("The recording was interrupted.");
export const LISTEN = translate("Listen to what is there, or record again.");
export const NOT_SENDABLE = translate("This recording cannot be sent. Record it again.");
export const NOT_PROCESSED = translate("This browser could not make a file of the recording. Record it again.");
export const NOT_PLAYABLE = translate("This browser cannot play the recording. Reload the page, or use another browser.");
export const NOT_SENT = translate("The recording could not be sent. Send it again, or reload the page.");
export const UNREACHABLE = translate("The studio cannot be reached. The recording is sent by itself when it answers again.");
export const KEEP_OPEN = translate("Keep this page open.");
export const IS_SAFE = translate("The recording is safe in this browser.");
export const ASKING = translate("Asking for the microphone …");
export const CHECKING = translate("Say a sentence in your normal voice: the microphone is being checked …");
export const WORKS_WITH_ADVICE = translate("The microphone works. Before you record:");
export const SOUNDS_GOOD = translate("The microphone sounds good.");
export const HAS_FINDINGS = translate("Listen to it. You may want to record it again:");
export const IS_GOOD = translate("That sounds good. Listen to all of it, then send it.");
export const PRESS_RECORD = translate("Press Record when you are ready.");
export const DELETED = translate("The recording is deleted.");
export const SENDING = translate("Sending …");
export const ARRIVED = translate("It has arrived.");
