"use strict";
for (const chart of document.querySelectorAll("svg[data-x]")) {
  const column = (name, by = " ") => (chart.dataset[name] ?? "").split(by);
  const [lr, loss, low, high] = ["lr", "loss", "low", "high"].map((name) => column(name));
  const x = column("x").map(Number), y = column("y").map(Number), rows = column("rows", "|");
  const cursor = chart.querySelector(".cursor"), dot = cursor.querySelector("circle");
  const readout = chart.closest("figure").querySelector(".readout");
  const rest = "Point at the curve, or use the arrow keys, to read it.";
  let at = Math.floor(x.length / 2);
  const strong = (text) => Object.assign(document.createElement("b"), { textContent: text });
  const show = (index) => {
    at = Math.min(Math.max(index, 0), x.length - 1);
    cursor.setAttribute("transform", `translate(${x[at]} 0)`);
    cursor.setAttribute("visibility", "visible");
    if (chart.dataset.rows) {
      const [head, ...parts] = rows[at].split(";");
      readout.replaceChildren(strong(head), ...parts.map((part) => `  ·  ${part}`));
      return;
    }
    dot.setAttribute("cy", y[at]);
    readout.replaceChildren("rate ", strong(lr[at]), "  ·  loss ", strong(loss[at]),
      `  ·  90\u00a0% band ${low[at]} to ${high[at]}  ·  noise of one batch ±${chart.dataset.noise}`);
  };
  const hide = () => { cursor.setAttribute("visibility", "hidden"); readout.textContent = rest; };
  const nearest = (place) => x.reduce((best, value, i) => Math.abs(value - place) < Math.abs(x[best] - place) ? i : best, 0);
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    show(nearest((event.clientX - box.left) / box.width * chart.viewBox.baseVal.width));
  });
  chart.addEventListener("pointerleave", hide);
  chart.addEventListener("blur", hide);
  chart.addEventListener("focus", () => { if (chart.matches(":focus-visible")) show(at); });
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -20, PageUp: 20 }[event.key];
    if (step) { event.preventDefault(); show(at + step); }
  });
  readout.textContent = rest;
}
for (const button of document.querySelectorAll("button[hidden]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    } catch {
      getSelection().selectAllChildren(code);
    }
  });
}
