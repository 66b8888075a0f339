// The storage of the browser, which can be forbidden or full. Then nothing is stored, and reading returns undefined.

function attempt(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}

// Ends with the tab.
export const useSessionStorage = (action) => attempt(() => action(sessionStorage));

// Stays in this browser.
export const useLocalStorage = (action) => attempt(() => action(localStorage));
