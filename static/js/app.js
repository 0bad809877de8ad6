// The loader. Behaviours of the whole page are imported here; a behaviour of one element is named by its
// data-js="name other" attribute and imported on demand from static/js/<name>.js, which exports attach(element).
import "eventops/toast";
import "eventops/dialog";
import "eventops/menu";
import "eventops/confirm";
import "eventops/theme";
import "eventops/keys";
import "eventops/clip";
import "eventops/copy";
import "eventops/insert";
import "eventops/offline";

const attached = new WeakMap();

async function attach(element) {
  for (const name of element.dataset.js.split(/\s+/).filter(Boolean)) {
    const done = attached.get(element) ?? new Set();
    if (done.has(name)) continue;
    done.add(name);
    attached.set(element, done);
    const behaviour = await import(`eventops/${name}`);
    behaviour.attach(element);
  }
}

function scan(root) {
  if (root instanceof Element && root.matches("[data-js]")) attach(root);
  root.querySelectorAll?.("[data-js]").forEach(attach);
}

scan(document);
document.addEventListener("htmx:load", (event) => scan(event.detail.elt));
