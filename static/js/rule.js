// A rule's rows: data-js="rule" on the fieldset. Only the tests that fit the chosen fact can be chosen, the value hides
// where none is needed, and a fact with fixed values offers them.
const WITHOUT = new Set(["known", "unknown", "yes", "no"]);

export function attach(rule) {
  rule.querySelectorAll(".rule-row").forEach((row) => {
    const [fact, test, value] = ["fact", "test", "value"].map((name) => row.querySelector(`[data-rule-${name}]`));
    const list = document.createElement("datalist");
    list.id = `${value.id}-values`;
    value.after(list);
    value.setAttribute("list", list.id);

    function refresh() {
      const option = fact.selectedOptions[0];
      const fitting = option?.dataset.tests?.split(" ") ?? [];
      [...test.options].forEach((o) => (o.hidden = o.disabled = o.value !== "" && !fitting.includes(o.value)));
      if (fitting.length && !fitting.includes(test.value)) test.value = fitting[0];
      if (!fitting.length) test.value = "";
      test.hidden = !fitting.length;
      value.hidden = !fitting.length || WITHOUT.has(test.value);
      const values = option?.dataset.values?.split("|") ?? [];
      list.replaceChildren(...values.map((words) => Object.assign(document.createElement("option"), { value: words })));
      value.placeholder = values.length ? values.slice(0, 3).join(", ") : "Several with commas";
    }
    fact.addEventListener("change", refresh);
    test.addEventListener("change", refresh);
    refresh();
  });
}
