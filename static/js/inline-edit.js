// Editing in place: data-js="inline-edit" on the table or list. A .cell-edit button fetches a form into its cell by htmx;
// Escape puts back what was there, and the form sends itself when a select changes or its field loses focus changed.
// A list with data-cells="/accounts/" spares its buttons the address: the row's id ([data-id], or the value of the box
// that selects it) and the cell's field ([data-f] on the cell or on its column's head) make it.
export function attach(root) {
  const before = new WeakMap();

  root.addEventListener("htmx:beforeSwap", (event) => {
    const cell = event.detail.target;
    const source = event.detail.requestConfig?.elt;
    if (cell && source?.matches?.(".cell-edit")) before.set(cell, [...cell.childNodes]);
  });
  root.addEventListener("click", (event) => {
    const button = event.target.closest(".cell-edit");
    const cell = button?.closest("td, dd");
    if (!cell || !root.dataset.cells) return;
    const id = cell.closest("[data-id]")?.dataset.id ?? cell.closest("tr").querySelector("[data-bulk-row]").value;
    const field = cell.dataset.f ?? root.querySelector("thead tr").cells[cell.cellIndex].dataset.f;
    window.htmx.ajax("GET", `${root.dataset.cells}${id}/cell/${field}/`, { source: button, target: cell });
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
