// Text that is cut for want of room says the whole in its title.
document.addEventListener("pointerover", (event) => {
  const cell = event.target.closest?.("td, th, .clip, .topbar-title h1, .switcher-name");
  if (cell && !cell.title && cell.scrollWidth > cell.clientWidth + 1) cell.title = cell.textContent.trim();
});
