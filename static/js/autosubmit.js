// A filter form that sends itself: at once for choices, after a pause for typed text. Without JavaScript it has a button,
// marked data-autosubmit-button and hidden here.
export function attach(form) {
  let timer = 0;
  form.querySelectorAll("[data-autosubmit-button]").forEach((b) => (b.hidden = true));
  form.addEventListener("change", (event) => {
    if (event.target.matches("input[type=search], input[type=text]")) return;
    form.requestSubmit();
  });
  form.addEventListener("input", (event) => {
    if (!event.target.matches("input[type=search], input[type=text]")) return;
    clearTimeout(timer);
    timer = setTimeout(() => form.requestSubmit(), 250);
  });
}
