// Theme and sidebar width: set on <html>, remembered in a cookie so that the server draws the next page right.
const root = document.documentElement;

function remember(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
}

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-theme-set]");
  if (choice) {
    root.dataset.theme = choice.dataset.themeSet;
    remember("theme", choice.dataset.themeSet);
    document.querySelectorAll("[data-theme-set]").forEach((b) => b.setAttribute("aria-pressed", b.dataset.themeSet === root.dataset.theme));
  }
  const toggle = event.target.closest("[data-sidebar-toggle]");
  if (toggle) {
    const narrow = root.dataset.sidebar !== "narrow";
    root.dataset.sidebar = narrow ? "narrow" : "wide";
    toggle.setAttribute("aria-pressed", narrow);
    remember("sidebar", root.dataset.sidebar);
  }
});
