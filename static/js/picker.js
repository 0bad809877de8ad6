// People to choose: who is ticked among the found moves to the chosen, who is unticked leaves. The first is the primary one.
export function attach(picker) {
  const chosen = picker.querySelector("[data-picker-chosen]");
  picker.addEventListener("change", (event) => {
    const box = event.target.closest("input[name=people]");
    if (!box) return;
    const item = box.closest("li");
    if (box.checked && !chosen.contains(box)) {
      const there = chosen.querySelector(`input[value="${box.value}"]`);
      if (there) {
        there.checked = true;
        item.remove();
      } else {
        chosen.append(item);
      }
      box.focus();
    }
  });
}
