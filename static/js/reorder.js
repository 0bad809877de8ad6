// Moving rows: data-js="reorder" on whatever holds the lists. A list carries data-reorder-list="its name" inside of a
// [data-reorder-lane], an item data-reorder-item="its id" and [draggable], with submit buttons [data-move="up"|"down"]
// that work without this module. Alt and an arrow key inside an item press those buttons. A drag, within a list or into
// another one, shows a line where the item will stand (is-before, is-after, is-into); the drop fills the form's input
// named "moved" with item:list:position and sends the form.
export function attach(root) {
  let dragged = null;
  let target = null;

  root.addEventListener("keydown", (event) => {
    const way = event.altKey && { ArrowUp: "up", ArrowDown: "down" }[event.key];
    const button = way && event.target.closest("[data-reorder-item]")?.querySelector(`[data-move=${way}]`);
    if (!button) return;
    event.preventDefault();
    if (!button.disabled) button.click();
  });

  function aim(next) {
    target?.element.classList.remove("is-before", "is-after", "is-into");
    target = next;
    next?.element.classList.add(next.css);
  }

  function find(event) {
    const item = event.target.closest("[data-reorder-item]");
    const lane = event.target.closest("[data-reorder-lane]");
    const list = lane?.querySelector("[data-reorder-list]");
    if (item && (!lane || lane.contains(item))) {
      if (item === dragged || dragged.contains(item)) return null;
      const box = (item.querySelector("[data-reorder-grip]") ?? item).getBoundingClientRect();
      return { element: item, css: event.clientY < box.top + box.height / 2 ? "is-before" : "is-after" };
    }
    return list && !dragged.contains(list) ? { element: lane, list, css: "is-into" } : null;
  }

  function place() {
    const list = target.list ?? target.element.parentElement;
    const items = [...list.children].filter((item) => item !== dragged);
    const index = target.list ? items.length : items.indexOf(target.element) + (target.css === "is-after" ? 1 : 0);
    return `${dragged.dataset.reorderItem}:${list.dataset.reorderList}:${index}`;
  }

  root.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-reorder-item]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    dragged.classList.add("is-dragged");
  });
  root.addEventListener("dragover", (event) => {
    if (!dragged) return;
    const next = find(event);
    if (next) event.preventDefault();
    if (next?.element !== target?.element || next?.css !== target?.css) aim(next);
  });
  root.addEventListener("drop", (event) => {
    if (!dragged || !target) return;
    event.preventDefault();
    const form = dragged.closest("form");
    form.elements.moved.value = place();
    form.requestSubmit();
  });
  root.addEventListener("dragend", () => {
    aim(null);
    dragged?.classList.remove("is-dragged");
    dragged = null;
  });
}
