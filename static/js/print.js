// A button that prints the page. Without JavaScript it stays hidden, because it could do nothing.
export function attach(button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
