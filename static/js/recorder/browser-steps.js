// Which browser this is, and the steps that let a page use the microphone in it.

import { translate } from "../translate.js";

const NAMES = [
  [/FBAN|FBAV|Instagram|Line\/|MicroMessenger|; wv\)|GSA\//, "app"],
  [/Edg(e|A|iOS)?\//, "edge"],
  [/SamsungBrowser\//, "samsung"],
  [/Firefox\/|FxiOS\//, "firefox"],
  [/Chrome\/|CriOS\/|Chromium\//, "chrome"],
  [/Version\/.*Safari\//, "safari"],
];
const LABELS = {
  app: translate("This app"),
  edge: "Edge",
  samsung: "Samsung Internet",
  firefox: "Firefox",
  chrome: "Chrome",
  safari: "Safari",
  other: translate("This browser"),
};

function findSystem(agent, touchPoints) {
  if (/iPhone|iPad|iPod/.test(agent)) return "ios";
  if (/Macintosh/.test(agent) && touchPoints > 1) return "ios"; // an iPad says that it is a Mac
  return /Android/.test(agent) ? "android" : "desktop";
}

// {name, label, system}: what the browser says of itself.
export function findBrowser({ userAgent, maxTouchPoints = 0 }) {
  const name = NAMES.find(([pattern]) => pattern.test(userAgent))?.[1] ?? "other";
  return { name, label: LABELS[name], system: findSystem(userAgent, maxTouchPoints) };
}

const TRY_AGAIN = translate("Then press “Allow the microphone” again.");
const OPEN_BROWSER = [
  translate("Open the menu of this app, or its share button."),
  translate("Choose to open this page in your browser."),
  translate("Allow the microphone there."),
];
const PHONE_SETTINGS = (label) => [
  translate("Open the settings of the phone, and there the app {label}.", { label }),
  translate("Turn on Microphone."),
  translate("Come back to this page and reload it."),
];
const ANDROID = [
  translate("Press the sign to the left of the address, then Permissions."),
  translate("Allow the microphone."),
  translate("If it is not listed there: in the settings of the phone, open Apps, this browser, Permissions, Microphone."),
  TRY_AGAIN,
];
const CHROMIUM = [
  translate("Press the sign to the left of the address."),
  translate("Turn on Microphone."),
  translate("Reload this page if you are asked to."),
  TRY_AGAIN,
];

const BLOCKED = {
  "edge desktop": CHROMIUM,
  "chrome desktop": CHROMIUM,
  "firefox desktop": [
    translate("Press the crossed-out microphone to the left of the address."),
    translate("Remove the block with the × beside it."),
    TRY_AGAIN,
  ],
  "safari desktop": [
    translate("In the menu Safari, choose Settings for this website."),
    translate("Set Microphone to Allow."),
    TRY_AGAIN,
  ],
  "safari ios": [
    translate("Press the button at the left end of the address, then Website Settings. In some versions it is behind ⋯."),
    translate("Set Microphone to Allow."),
    translate("If that does not help: in the settings of the phone, open Apps, Safari, Microphone, and choose Ask or Allow."),
    TRY_AGAIN,
  ],
  "firefox android": [
    translate("Press the shield or the lock to the left of the address."),
    translate("Press “Blocked” beside Microphone, so that it says Allowed."),
    TRY_AGAIN,
  ],
  "chrome android": ANDROID,
  "edge android": ANDROID,
  "samsung android": ANDROID,
};
const OTHER_BLOCKED = [
  translate("Open the permissions of this page, mostly beside the address."),
  translate("Allow the microphone."),
  TRY_AGAIN,
];

// The steps after the microphone was blocked for the page.
export function listBlockedSteps({ name, label, system }) {
  if (name === "app") return OPEN_BROWSER;
  if (system === "ios" && name !== "safari") return PHONE_SETTINGS(label);
  return BLOCKED[`${name} ${system}`] ?? OTHER_BLOCKED;
}

// The steps while the question of the browser waits for an answer.
export function listQuestionSteps({ name, system }) {
  if (name === "app") return OPEN_BROWSER;
  if (system !== "desktop") return [
    translate("Look for the question of the browser on the screen."),
    translate("Press Allow."),
  ];
  const sign = translate("If there is none, press the microphone sign in the bar of the address.");
  if (name === "safari") return [
    translate("Look for the question in the middle of the window."),
    translate("Press Allow."),
  ];
  if (name === "firefox") return [
    translate("Look for the question below the address."),
    sign,
    translate("Choose your microphone, then press Allow."),
  ];
  return [
    translate("Look for the question below the address."),
    sign,
    translate("Press “Allow while visiting the site”."),
  ];
}
