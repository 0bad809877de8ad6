// Places an opened popover menu by its button and lets the arrow keys walk through it.
const GAP = 4;
const EDGE = 8;

function place(menu) {
  const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]:is(:focus, :hover)`) ?? document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
  if (!button || window.matchMedia("(max-width: 760px)").matches) {
    menu.style.removeProperty("left");
    menu.style.removeProperty("top");
    return;
  }
  const at = button.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const below = at.bottom + GAP;
  const top = below + size.height > innerHeight - EDGE ? Math.max(EDGE, at.top - GAP - size.height) : below;
  const left = at.left + size.width > innerWidth - EDGE ? Math.max(EDGE, at.right - size.width) : at.left;
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}

document.addEventListener(
  "toggle",
  (event) => {
    const menu = event.target;
    if (!menu.matches?.(".menu[popover]")) return;
    if (event.newState === "open") {
      place(menu);
      menu.querySelector("[autofocus], [aria-current=true], .menu-item, input, select, button, a")?.focus({ preventScroll: true });
    }
    document.querySelectorAll(`[popovertarget="${CSS.escape(menu.id)}"]`).forEach((b) => b.setAttribute("aria-expanded", event.newState === "open"));
  },
  true,
);

document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const item = event.target.closest?.(".menu .menu-item");
  if (!step || !item) return;
  event.preventDefault();
  const items = [...item.closest(".menu").querySelectorAll(".menu-item:not(:disabled)")].filter((i) => i.offsetParent);
  items[(items.indexOf(item) + step + items.length) % items.length].focus();
});

// A menu item that acts by htmx closes its menu.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.closest?.(".menu-item")) event.target.closest("[popover]")?.hidePopover();
});
