"use strict";
for (const chart of document.querySelectorAll("svg[data-hover]")) {
  const runs = [...chart.querySelectorAll("[data-at]")].map((mark) => ({
    mark, name: mark.dataset.name, told: mark.dataset.told.split("|"),
    at: mark.dataset.at.split(" ").map((pair) => pair.split(",").map(Number)),
  })).reverse();
  const pointer = chart.querySelector(".pointer"), readout = chart.closest("figure").querySelector(".readout");
  const rest = "Point at a run, or use the arrow keys, to read it.";
  let run = 0, point = 0;
  const show = () => {
    const { mark, name, told, at } = runs[run];
    for (const other of runs) other.mark.classList.toggle("on", other.mark === mark);
    chart.classList.add("pointed");
    pointer.setAttribute("cx", at[point][0]);
    pointer.setAttribute("cy", at[point][1]);
    pointer.setAttribute("visibility", "visible");
    readout.replaceChildren(Object.assign(document.createElement("b"), { textContent: name }), `  ·  ${told[point]}`);
  };
  const hide = () => {
    chart.classList.remove("pointed");
    for (const other of runs) other.mark.classList.remove("on");
    pointer.setAttribute("visibility", "hidden");
    readout.textContent = rest;
  };
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect(), scale = chart.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    let least = Infinity;
    runs.forEach((each, i) => each.at.forEach(([px, py], j) => {
      const far = (px - x) ** 2 + (py - y) ** 2;
      if (far < least) [least, run, point] = [far, i, j];
    }));
    show();
  });
  chart.addEventListener("pointerleave", hide);
  chart.addEventListener("blur", hide);
  chart.addEventListener("focus", () => { if (chart.matches(":focus-visible")) show(); });
  chart.addEventListener("keydown", (event) => {
    const along = { ArrowLeft: -1, ArrowRight: 1, PageDown: -20, PageUp: 20 }[event.key] ?? 0;
    const across = { ArrowUp: -1, ArrowDown: 1 }[event.key] ?? 0;
    if (!along && !across) return;
    event.preventDefault();
    const x = runs[run].at[point][0];
    run = (run + across + runs.length) % runs.length;
    const near = (best, pair, i, at) => Math.abs(pair[0] - x) < Math.abs(at[best][0] - x) ? i : best;
    if (across) point = runs[run].at.reduce(near, 0);
    point = Math.min(Math.max(point + along, 0), runs[run].at.length - 1);
    show();
  });
  readout.textContent = rest;
}
