// Tabs of a detail page on the phone: data-js="tabs" on .detail; each .tab button names its part with data-tab-for.
export function attach(detail) {
  const tabs = [...detail.querySelectorAll("[data-tab-for]")];

  function choose(tab) {
    detail.dataset.tab = tab.dataset.tabFor;
    tabs.forEach((t) => t.setAttribute("aria-pressed", t === tab));
    tabs.forEach((t) => (t === tab ? t.setAttribute("aria-current", "true") : t.removeAttribute("aria-current")));
  }
  tabs.forEach((tab) => tab.addEventListener("click", () => choose(tab)));
  const wanted = tabs.find((t) => t.dataset.tabFor === location.hash.slice(1)) ?? tabs.find((t) => t.hasAttribute("aria-current")) ?? tabs[0];
  if (wanted) choose(wanted);
}
