// Reads what the talent has to know aloud, by a voice of the device itself: any other voice would send the text to the
// maker of the browser. The button is hidden where the device has no voice for the language of the page.

const getLanguage = (tag) => tag.toLowerCase().split(/[-_]/)[0];

export function chooseVoice(voices, tag) {
  const local = voices.filter((voice) => voice.localService && getLanguage(voice.lang) === getLanguage(tag));
  const isSame = (voice) => voice.lang.replace("_", "-").toLowerCase() === tag.toLowerCase();
  return local.find(isSame) ?? local.find((voice) => voice.default) ?? local[0];
}

const listTexts = (root) =>
  [...root.querySelectorAll("dt, dd p, dd > a")].map((part) => part.textContent.trim().replace(/\s+/g, " ")).filter(Boolean);

class ReadAloudButton {
  constructor(button) {
    this.button = button;
    this.label = button.textContent;
    this.source = document.getElementById(button.getAttribute("aria-controls"));
    button.addEventListener("click", () => (this.isReading ? this.stop() : this.read()));
    window.addEventListener("pagehide", () => this.stop());
    speechSynthesis.addEventListener?.("voiceschanged", () => this.show());
    this.show();
  }

  show() {
    this.voice = chooseVoice(speechSynthesis.getVoices(), document.documentElement.lang);
    this.button.hidden = !this.voice;
  }

  // One utterance for each paragraph: some devices cut off long ones.
  read() {
    speechSynthesis.cancel(); // of another button
    this.setReading(true);
    const utterances = listTexts(this.source).map((text) => this.makeUtterance(text));
    utterances.at(-1).onend = () => this.setReading(false);
    for (const utterance of utterances) {
      utterance.onerror = () => this.setReading(false);
      speechSynthesis.speak(utterance);
    }
  }

  makeUtterance(text) {
    const utterance = new SpeechSynthesisUtterance(text);
    return Object.assign(utterance, { voice: this.voice, lang: this.voice.lang });
  }

  stop() {
    if (!this.isReading) return;
    this.setReading(false);
    speechSynthesis.cancel();
  }

  setReading(isReading) {
    this.isReading = isReading;
    this.button.textContent = isReading ? this.button.dataset.stop : this.label;
  }
}

if (globalThis.speechSynthesis) {
  for (const button of document.querySelectorAll("[data-read-aloud]")) new ReadAloudButton(button);
}
