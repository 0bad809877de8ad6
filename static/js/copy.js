// data-copy="text" (or data-copy-from="#id") copies to the clipboard and says so.
import { show } from "eventops/toast";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
  const text = source ? (source.value ?? source.textContent) : button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
    show({ text: "Copied.", tone: "ok" });
  } catch {
    show({ text: "Your browser did not allow copying. Select the text and copy it by hand.", tone: "warn" });
  }
});
