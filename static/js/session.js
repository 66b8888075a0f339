// Who is signed in. The CSRF token of a page is out of date once its user has signed in again in another tab.

const page = document.body.dataset;

export const user = page.user ?? "";
export const here = `${location.pathname}${location.search}`;

// Gets a new CSRF token for every form of the page. Returns "", or why this page cannot send anything:
// "signed_out", "other_user", "offline" or "error".
export async function refreshToken() {
  let response;
  try {
    response = await fetch(page.sessionUrl, { headers: { Accept: "application/json" } });
  } catch {
    return "offline";
  }
  if (response.status === 401) return "signed_out";
  if (!response.ok) return "error";
  const session = await response.json();
  if (session.user !== user) return "other_user";
  useToken(session.token);
  return "";
}

function useToken(token) {
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
}

export function openSignIn() {
  location.assign(`${page.signInUrl}?next=${encodeURIComponent(here)}`);
}
