// Runs before the first paint: the colours that were chosen here, or else those of the system.
(() => {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is forbidden here: follow the system
    }
  };
  const show = (theme) => document.documentElement.setAttribute("data-bs-theme", theme);
  const current = () => chosen() || (system.matches ? "dark" : "light");

  show(current());
  system.addEventListener("change", () => show(current()));

  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      const name = () => (button.textContent = current() === "dark" ? "Light colours" : "Dark colours");
      button.hidden = false;
      name();
      button.addEventListener("click", () => {
        const next = current() === "dark" ? "light" : "dark";
        try {
          if (next === (system.matches ? "dark" : "light")) localStorage.removeItem("theme");
          else localStorage.setItem("theme", next);
        } catch {
          // Not remembered, but shown.
        }
        show(next);
        name();
      });
    }
  });
})();
