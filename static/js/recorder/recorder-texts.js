// What the recorder says.

export const FIRST_MICROPHONE = "First the microphone. It is only used while this page is open.";
export const RECORDING = "Recording. Read the text aloud, then press Stop.";
export const EARLIER_TAKE = "You made this recording here earlier. It has not been sent yet.";
export const EARLIER_PART = "The page ended while you were recording. This is what your browser has kept.";
export const INTERRUPTED = "The recording was interrupted.";
export const LISTEN = "Listen to what is there, or record again.";
export const NOT_SENDABLE = "This recording cannot be sent. Record it again.";
export const NOT_PROCESSED = "This browser could not make a file of the recording. Record it again.";
export const NOT_PLAYABLE = "This browser cannot play the recording. Reload the page, or use another browser.";
export const NOT_SENT = "The recording could not be sent. Send it again, or reload the page.";
export const UNREACHABLE = "The studio cannot be reached. The recording is sent by itself when it answers again.";
export const KEEP_OPEN = "Keep this page open.";
export const IS_SAFE = "The recording is safe in this browser.";
export const ASKING = "Asking for the microphone …";
export const CHECKING = "Say a sentence in your normal voice: the microphone is being checked …";
export const WORKS_WITH_ADVICE = "The microphone works. Before you record:";
export const SOUNDS_GOOD = "The microphone sounds good.";
export const HAS_FINDINGS = "Listen to it. You may want to record it again:";
export const IS_GOOD = "That sounds good. Listen to all of it, then send it.";
export const PRESS_RECORD = "Press Record when you are ready.";
export const DELETED = "The recording is deleted.";
export const SENDING = "Sending …";
export const ARRIVED = "It has arrived.";
