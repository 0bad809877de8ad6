// Warns before leaving a form with changes that were not saved.
export function attach(form) {
  let changed = false;
  const warn = (event) => {
    if (changed && form.isConnected) event.preventDefault();
  };
  form.addEventListener("input", () => (changed = true));
  form.addEventListener("submit", () => (changed = false));
  form.addEventListener("htmx:afterRequest", (event) => (changed = changed && !event.detail.successful));
  window.addEventListener("beforeunload", warn);
}
