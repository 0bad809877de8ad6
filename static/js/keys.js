// Keyboard: `g a` goes to Accounts (data-key="g a"), `/` to the search, `?` lists the keys,
// j and k walk the rows of the page's table, Enter opens and x selects the row.
let waiting = "";
let timer = 0;

function typing(target) {
  return target.isContentEditable || target.closest("input:not([type=checkbox], [type=radio]), select, textarea, dialog[open], [popover]:popover-open");
}

function rows() {
  return [...document.querySelectorAll("main table[data-rows] > tbody > tr:not(.more)")].filter((r) => r.offsetParent);
}

function walk(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((r) => r.classList.contains("is-cursor"));
  const next = all[Math.max(0, Math.min(all.length - 1, now < 0 ? (step > 0 ? 0 : all.length - 1) : now + step))];
  all[now]?.classList.remove("is-cursor");
  next.classList.add("is-cursor");
  next.scrollIntoView({ block: "nearest" });
  next.querySelector("th a, td a")?.focus({ preventScroll: true });
}

const single = {
  "/": () => document.querySelector("main [data-search]")?.focus(),
  "?": () => document.getElementById("keys-help")?.showModal(),
  j: () => walk(1),
  k: () => walk(-1),
  x: () => document.querySelector("tr.is-cursor input[type=checkbox]")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
  if (waiting) {
    const link = document.querySelector(`[data-key="${CSS.escape(`${waiting} ${event.key}`)}"]`);
    waiting = "";
    if (link) {
      event.preventDefault();
      link.click();
      return;
    }
  }
  const here = document.querySelector(`main [data-key="${CSS.escape(event.key)}"]`);
  if (here) {
    event.preventDefault();
    here.click();
  } else if (event.key === "g") {
    waiting = "g";
    clearTimeout(timer);
    timer = setTimeout(() => (waiting = ""), 1200);
  } else if (single[event.key]) {
    event.preventDefault();
    single[event.key]();
  }
});

const list = document.querySelector("[data-keys-list]");
document.querySelectorAll("[data-key]").forEach((element) => {
  if (!list || element.closest("#more-sheet")) return;
  const line = document.createElement("div");
  const term = document.createElement("dt");
  for (const key of element.dataset.key.split(" ")) {
    const cap = document.createElement("kbd");
    cap.textContent = key;
    term.append(cap, " ");
  }
  const words = document.createElement("dd");
  words.textContent = element.getAttribute("title") || element.textContent.trim();
  line.append(term, words);
  list.append(line);
});
