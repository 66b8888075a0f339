// Runs before the first paint: applies the color scheme chosen in this browser, or else that of the system.
(() => {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const systemTheme = () => (system.matches ? "dark" : "light");
  const loadTheme = () => {
    try {
      const theme = localStorage.getItem("theme"); // the Django admin also stores "auto" here
      return ["light", "dark"].includes(theme) ? theme : null;
    } catch {
      return null; // this browser forbids storage: follow the system
    }
  };
  const saveTheme = (theme) => {
    try {
      if (theme === systemTheme()) localStorage.removeItem("theme");
      else localStorage.setItem("theme", theme);
    } catch {
      // The theme is applied, but not saved.
    }
  };
  const applyTheme = (theme) => document.documentElement.setAttribute("data-bs-theme", theme);
  const currentTheme = () => loadTheme() || systemTheme();

  applyTheme(currentTheme());
  system.addEventListener("change", () => applyTheme(currentTheme()));

  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      const isDark = () => document.documentElement.getAttribute("data-bs-theme") === "dark";
      const updateLabel = () => (button.textContent = isDark() ? "Light colors" : "Dark colors");
      button.hidden = false;
      updateLabel();
      button.addEventListener("click", () => {
        const theme = isDark() ? "light" : "dark";
        saveTheme(theme);
        applyTheme(theme);
        updateLabel();
      });
    }
  });
})();
