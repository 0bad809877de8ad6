// data-confirm="Delete 12 people?" data-confirm-yes="Delete" asks in a native dialog before a form is sent,
// a link followed or an htmx request made; it stands on the button, the link or the form (hx-confirm="…" asks in the same dialog).
const dialog = document.getElementById("confirm");

function ask(text, { yes = "Go on", danger = false, title = "Are you sure?" } = {}) {
  return new Promise((resolve) => {
    if (!dialog) return resolve(window.confirm(text));
    dialog.querySelector("h2").textContent = title;
    dialog.querySelector("[data-confirm-text]").textContent = text;
    const button = dialog.querySelector("[data-confirm-yes]");
    button.textContent = yes;
    button.className = danger ? "btn btn-danger-fill" : "btn btn-primary";
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
}

function options(element) {
  return {
    yes: element.dataset.confirmYes || element.textContent.trim() || "Go on",
    danger: element.matches(".btn-danger, .btn-danger-fill, [data-tone=bad]"),
    title: element.dataset.confirmTitle,
  };
}

const agreed = new WeakSet();

document.addEventListener(
  "click",
  async (event) => {
    const element = event.target.closest("button[data-confirm], a[data-confirm], input[data-confirm]");
    if (!element || element.matches("[hx-get], [hx-post], [hx-put], [hx-patch], [hx-delete]")) return;
    if (agreed.delete(element)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (element.form && !element.form.noValidate && !element.form.reportValidity()) return;
    if (await ask(element.dataset.confirm, options(element))) {
      agreed.add(element);
      element.click();
    }
  },
  true,
);

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    if (!form.dataset.confirm || form.matches("[hx-get], [hx-post], [hx-put], [hx-patch], [hx-delete]") || agreed.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { submitter } = event;
    const words = options(submitter ?? form);
    if (await ask(form.dataset.confirm, { ...words, yes: form.dataset.confirmYes || words.yes, title: form.dataset.confirmTitle })) {
      agreed.add(form);
      form.requestSubmit(submitter);
    }
  },
  true,
);

document.addEventListener("htmx:confirm", async (event) => {
  const element = event.detail.elt;
  const text = element.dataset.confirm && element.matches("[hx-get], [hx-post], [hx-put], [hx-patch], [hx-delete]") ? element.dataset.confirm : event.detail.question;
  if (!text) return;
  event.preventDefault();
  if (await ask(text, options(element))) event.detail.issueRequest(true);
});
