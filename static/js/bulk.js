// Selecting rows: data-js="bulk" on the form around a table. Row boxes carry data-bulk-row, the head box data-bulk-page.
// The bar [data-bulk-bar] shows while something is selected; [data-bulk-count] says how many. [data-bulk-all] selects
// everything in the filter, as many as #count says: the form then sends all=1 besides the filter it already carries.
export function attach(form) {
  const bar = form.querySelector("[data-bulk-bar]");
  if (!bar) return;
  const page = form.querySelector("[data-bulk-page]");
  const all = form.querySelector("input[name=all]");
  const everything = form.querySelector("[data-bulk-all]");
  let last = null;

  const boxes = () => [...form.querySelectorAll("[data-bulk-row]")];

  function refresh() {
    const list = boxes();
    // Row boxes stand outside the bar's form and are tied to it here, which keeps long lists small.
    if (bar.matches("form"))
      list.forEach((b) => {
        b.name = "id";
        b.setAttribute("form", bar.getAttribute("id")); // bar.id would be the boxes, once they are called id
      });
    const picked = list.filter((b) => b.checked).length;
    const whole = all?.value === "1";
    bar.hidden = picked === 0;
    if (page) {
      page.checked = picked > 0 && picked === list.length;
      page.indeterminate = picked > 0 && picked < list.length;
    }
    // A long list says "about 41,000" at first; the server tells the exact number before anything happens.
    const total = document.getElementById("count")?.textContent.trim() ?? "";
    const label = whole ? total : picked.toLocaleString("en");
    form.querySelectorAll("[data-bulk-count]").forEach((e) => (e.textContent = label));
    if (everything) {
      everything.textContent = `Select all ${total}`;
      everything.hidden = whole || picked !== list.length;
    }
  }

  function narrow() {
    if (all) all.value = "";
  }

  form.addEventListener("click", (event) => {
    const box = event.target.closest("[data-bulk-row]");
    if (!box) return;
    if (event.shiftKey && last && last !== box) {
      const list = boxes();
      const [from, to] = [list.indexOf(last), list.indexOf(box)].sort((a, b) => a - b);
      list.slice(from, to + 1).forEach((b) => (b.checked = box.checked));
    }
    last = box;
    narrow();
    refresh();
  });
  form.addEventListener("change", (event) => {
    if (event.target !== page) return;
    boxes().forEach((b) => (b.checked = page.checked));
    narrow();
    refresh();
  });
  everything?.addEventListener("click", () => {
    if (all) all.value = "1";
    refresh();
  });
  form.querySelector("[data-bulk-clear]")?.addEventListener("click", () => {
    boxes().forEach((b) => (b.checked = false));
    narrow();
    refresh();
  });
  form.addEventListener("htmx:afterSettle", refresh);
  refresh();
}
