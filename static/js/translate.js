// The texts of the scripts in the language of the page. The English text is the key; the page has the others as JSON (see
// `script_texts` in consent/templatetags). Call it with a plain string: `python -m tests.support.messages` collects them.

const source = typeof document === "undefined" ? null : document.getElementById("script-texts");
const texts = source ? JSON.parse(source.textContent) : {};

// `values` replace the {names} in the text.
export function translate(text, values = {}) {
  return (texts[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// Numbers as people write them in the language of the page.
export function formatNumber(value, places = 0) {
  const language = source ? document.documentElement.lang : "en";
  return value.toLocaleString(language, { minimumFractionDigits: places, maximumFractionDigits: places });
}
