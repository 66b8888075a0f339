// Passkeys (WebAuthn): forms whose button asks the browser for a credential first, and then sends it.
const options = () => JSON.parse(document.getElementById("passkey-options").textContent);
const CANCELED = "Canceled, or no passkey fits. Try again, or use another way.";
const FAILED = "The passkey did not work. Try again, or use another way.";

// An address of digits, such as 127.0.0.1, cannot have passkeys.
const isPossible =
  window.isSecureContext &&
  Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON) &&
  !/^[\d.]+$|^\[/.test(location.hostname);

function askForNew() {
  const publicKey = options().creation_options.publicKey;
  Object.assign((publicKey.authenticatorSelection ??= {}), {
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  });
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
}

const ask = ({ request_options: { publicKey } }) =>
  navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });

async function askForAny(form) {
  const response = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(response.statusText);
  return ask(await response.json());
}

const WAYS = { passkeyAdd: askForNew, passkeyConfirm: () => ask(options()), passkeyLogin: askForAny };

function prepare(form, getCredential) {
  const problem = form.querySelector("[data-part=problem]");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify(await getCredential(form));
      form.submit();
    } catch (error) {
      problem.textContent = error.name === "NotAllowedError" ? CANCELED : FAILED;
      problem.hidden = false;
    }
  });
}

if (isPossible) {
  document.querySelector("[data-no-passkeys]")?.remove();
  for (const form of document.querySelectorAll("[data-passkey-add], [data-passkey-confirm], [data-passkey-login]")) {
    prepare(form, Object.entries(WAYS).find(([name]) => name in form.dataset)[1]);
  }
}
