"""Findings from the measurements of one recording."""

from audio.findings.templates import make_warning

CODES = {
    "silent": make_warning(
        "It contains no speech: it is silent.",
        "Check the microphone, then record it again.",
        threshold="silent_peak_dbfs",
        exclusion="Providers discard silence, and a set with much of it is refused.",
    ),
    "no_speech": make_warning(
        "It contains only a steady sound, no speech.",
        "Listen to it; record it again if it contains no speech.",
        threshold="silent_speech_seconds",
        exclusion="Music, noise or tones teach a voice nothing, and providers discard them as silent.",
    ),
    "little_speech": make_warning(
        "Only {seconds:.1f} seconds of it are speech.",
        "Shorten the pauses, or record it again.",
        threshold="little_speech_share",
    ),
    "too_quiet": make_warning(
        "It is quiet: {level:.0f} dBFS on average.",
        "Record closer to the microphone, or with more gain.",
        threshold="too_quiet_dbfs",
    ),
    "too_loud": make_warning(
        "It is very loud: {level:.0f} dBFS on average.", "Record with less gain.", threshold="too_loud_dbfs"
    ),
    "peak_high": make_warning(
        "Its peak is only {headroom:.1f} dB below full scale.",
        "Leave 3 dB of headroom next time.",
        threshold="peak_high_dbfs",
    ),
    "clipping": make_warning(
        "The sound is clipped ({share:.2%} of it).",
        "Record it again with less gain.",
        threshold="clipping_share",
        exclusion="The distortion becomes part of the voice, and no provider can remove it.",
    ),
    "clipping_slight": make_warning(
        "A few peaks are clipped.",
        "Listen to these peaks; record it again if they crackle.",
        threshold="clipping_slight_share",
    ),
    "noisy": make_warning(
        "Strong background noise: speech is {snr:.0f} dB above it.",
        "Record it again in a quiet room.",
        threshold="noisy_db",
    ),
    "noise_heard": make_warning(
        "Some background noise: speech is {snr:.0f} dB above it.", "Listen to the pauses.", threshold="noise_heard_db"
    ),
    "dc_offset": make_warning(
        "The sound is not centered on zero ({share:.1%}).",
        "Check the sound card, or apply a low cut.",
        threshold="dc_offset_share",
    ),
    "silence_at_start": make_warning(
        "It begins with {seconds:.1f} seconds of silence.",
        "Trim it to about 0.2 seconds.",
        threshold="edge_silence_seconds",
    ),
    "silence_at_end": make_warning(
        "It ends with {seconds:.1f} seconds of silence.",
        "Trim it to about 0.2 seconds.",
        threshold="edge_silence_seconds",
    ),
    "long_pause": make_warning(
        "There is a pause of {seconds:.1f} seconds.",
        "Split the recording there, or shorten the pause.",
        threshold="pause_seconds",
    ),
    "hum": make_warning(
        "There is mains hum at {mains} Hz, {over:.0f} dB above the sound around it.",
        "Run the laptop on its battery, and move cables and the microphone away from power supplies.",
        threshold="hum_over_db",
    ),
    "reverberant": make_warning(
        "The room echoes: sound takes about {seconds:.1f} seconds to die away.",
        "Record closer to the microphone, in a room with curtains, carpets or clothes.",
        threshold="reverberation_seconds",
    ),
    "upsampled": make_warning(
        "There is no sound above {edge:.1f} kHz: it was converted from a lower sampling rate or an MP3.",
        "Send the recording as it was made, not converted.",
        threshold="band_cliff_db",
    ),
    "narrow_band": make_warning(
        "It has hardly any sound above {edge:.1f} kHz: it is muffled.",
        "Check that the microphone points at the mouth, and that no filter is on.",
        threshold="narrow_band_hz",
    ),
    "telephone_band": make_warning(
        "Its sampling rate is only {rate:,} Hz, as on a telephone.",
        "Record at 44,100 or 48,000 Hz.",
        threshold="telephone_rate",
    ),
}
