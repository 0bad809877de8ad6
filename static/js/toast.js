// Notices. Rendered by the server from Django messages, or sent by a response header:
// HX-Trigger: {"toast": {"text": "Saved", "tone": "ok", "undo": {"url": "/…", "label": "Undo"}}}
const region = document.getElementById("toasts");
const pattern = document.getElementById("toast-template");
const icons = { ok: "check-circle", bad: "alert", warn: "alert" };

function fade(toast) {
  if (toast.dataset.tone === "bad") return;
  let left = setTimeout(() => toast.remove(), 7000);
  toast.addEventListener("pointerenter", () => clearTimeout(left));
  toast.addEventListener("focusin", () => clearTimeout(left));
  toast.addEventListener("pointerleave", () => (left = setTimeout(() => toast.remove(), 3000)));
}

export function show({ text, tone = "info", undo = null }) {
  if (!region || !pattern) return;
  const toast = pattern.content.firstElementChild.cloneNode(true);
  toast.dataset.tone = tone;
  toast.querySelector(".toast-body").textContent = text;
  const use = toast.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icons[tone] ?? "info"}`));
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-small";
    button.textContent = undo.label ?? "Undo";
    button.addEventListener("click", () => {
      toast.remove();
      window.htmx?.ajax("POST", undo.url, { swap: "none" });
    });
    toast.querySelector(".toast-body").after(button);
  }
  // A modal dialog makes the rest of the page inert: the notice goes where it can be heard and dismissed.
  const modal = [...document.querySelectorAll("dialog[open]")].at(-1);
  (modal ? modalRegion(modal) : region).append(toast);
  fade(toast);
}

function modalRegion(modal) {
  let place = modal.querySelector(":scope > .toasts");
  if (!place) {
    place = document.createElement("div");
    place.className = "toasts";
    place.setAttribute("role", "region");
    place.setAttribute("aria-label", "Notices");
    place.setAttribute("aria-live", "polite");
    modal.append(place);
  }
  return place;
}

document.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest("[data-toast]").remove());
document.addEventListener("toast", (event) => show({ text: event.detail.value, ...event.detail }));
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  const words = {
    403: "You may not do this. Ask an admin of your organization.",
    404: "This no longer exists. Reload the page to see what is there now.",
    409: "Somebody else changed this first. Reload the page and try again.",
    413: "That file is too large to upload.",
    429: "Too many requests. Wait a moment and try again.",
  };
  const id = event.detail.xhr.getResponseHeader("X-Request-ID");
  const text = words[status] ?? "Something went wrong on our side. Nothing was changed; try again in a moment.";
  show({ text: id && status >= 500 ? `${text} (error ${id.slice(0, 8)})` : text, tone: "bad" });
});
document.addEventListener("htmx:sendError", () => show({ text: "No connection. Your input is kept; try again when you are back online.", tone: "bad" }));
window.addEventListener("offline", () => show({ text: "You are offline. What you type is kept on this page.", tone: "warn" }));
window.addEventListener("online", () => show({ text: "Back online.", tone: "ok" }));
region?.querySelectorAll("[data-toast]").forEach(fade);
