// Native dialogs. data-dialog-open="id" opens, data-dialog-close closes, a click beside it closes.
// htmx: hx-get="…" hx-target="#modal-body" opens the shared dialog; HX-Trigger: dialog:close closes it.
const modal = document.getElementById("modal");

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) {
    document.getElementById(opener.dataset.dialogOpen)?.showModal();
    opener.closest("[popover]")?.hidePopover();
    return;
  }
  const dialog = event.target.closest("dialog");
  if (event.target.closest("[data-dialog-close]") || (dialog && event.target === dialog && outside(dialog, event))) dialog?.close();
});

function outside(dialog, event) {
  if (event.clientX === 0 && event.clientY === 0) return false;
  const box = dialog.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id !== "modal-body" || !modal) return;
  if (event.detail.target.childElementCount === 0) modal.close();
  else if (!modal.open) modal.showModal();
  modal.querySelector("[autofocus], [aria-invalid=true], input:not([type=hidden]), select, textarea")?.focus();
});
modal?.addEventListener("close", () => document.getElementById("modal-body").replaceChildren());
document.addEventListener("dialog:close", () => document.querySelectorAll("dialog[open]").forEach((d) => d.close()));
