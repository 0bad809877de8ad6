// Editing in place: data-js="inline-edit" on the table or list. A .cell-edit button fetches a form into its cell by htmx;
// Escape puts back what was there, and the form sends itself when a select changes or its field loses focus changed.
export function attach(root) {
  const before = new WeakMap();

  root.addEventListener("htmx:beforeSwap", (event) => {
    const cell = event.detail.target;
    if (cell && event.target.closest(".cell-edit")) before.set(cell, [...cell.childNodes]);
  });
  root.addEventListener("htmx:afterSettle", (event) => {
    const field = event.target.querySelector?.(".cell-form :is(select, input:not([type=hidden]), textarea)");
    if (field) {
      field.focus();
      field.select?.();
    } else if (event.target.matches?.("td, dd, [data-cell]")) {
      event.target.querySelector(".cell-edit")?.focus();
    }
  });
  root.addEventListener("keydown", (event) => {
    const form = event.target.closest(".cell-form");
    if (!form || event.key !== "Escape") return;
    const cell = form.closest("td, dd, [data-cell]");
    if (!before.has(cell)) return;
    event.stopPropagation();
    cell.replaceChildren(...before.get(cell));
    cell.querySelector(".cell-edit")?.focus();
  });
  root.addEventListener("change", (event) => {
    const form = event.target.closest(".cell-form");
    if (form && event.target.matches("select, input[type=date], input[type=checkbox]")) form.requestSubmit();
  });
}
