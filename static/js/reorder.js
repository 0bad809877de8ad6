// Moving rows: data-js="reorder" on a list whose items are [draggable] and carry up/down buttons ([data-move="up"|"down"]).
// Alt and an arrow key inside an item move it, too. After a move the list's form (data-reorder-form, or the nearest form) is sent with the order of its hidden inputs.
export function attach(list) {
  let dragged = null;
  const form = () => document.querySelector(list.dataset.reorderForm || null) ?? list.closest("form");
  const send = () => form()?.requestSubmit();

  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    const item = button?.closest("[data-reorder-item]");
    if (!item) return;
    const other = button.dataset.move === "up" ? item.previousElementSibling : item.nextElementSibling;
    if (!other) return;
    button.dataset.move === "up" ? other.before(item) : other.after(item);
    button.focus();
    send();
  });
  list.addEventListener("keydown", (event) => {
    const up = event.key === "ArrowUp";
    const item = event.altKey && (up || event.key === "ArrowDown") && event.target.closest("[data-reorder-item]");
    const other = item && (up ? item.previousElementSibling : item.nextElementSibling);
    if (!other) return;
    event.preventDefault();
    up ? other.before(item) : other.after(item);
    event.target.focus();
    send();
  });
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-reorder-item]");
    event.dataTransfer.effectAllowed = "move";
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-reorder-item]");
    if (!dragged || !over || over === dragged || over.parentElement !== dragged.parentElement) return;
    event.preventDefault();
    const box = over.getBoundingClientRect();
    event.clientY < box.top + box.height / 2 ? over.before(dragged) : over.after(dragged);
  });
  list.addEventListener("dragend", () => {
    if (dragged) send();
    dragged = null;
  });
}
