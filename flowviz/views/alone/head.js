/* One file of one head, without a server: the picture, what is marked in it, its table. */
(function () {
  "use strict";
  const page = window.flowviz.head;
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const view = page.views[data.view];
  const windows = data.windows.map(view.unpack);
  const state = { dims: "number", dim: null, key: null };
  let at = 0; // which window is drawn
  let over = false; // whether the tooltip is up

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => {
    document.documentElement.dataset.mantineColorScheme = dark.matches ? "dark" : "light";
  };
  dark.addEventListener("change", () => [theme(), draw()]);

  function draw() {
    const box = byId("picture");
    const drawn = windows[at];
    state.colours = page.inks();
    state.place = view.layout(drawn, Math.max(300, box.clientWidth - 20), box.clientHeight - 20);
    const ink = page.onCanvas(state.place.width, state.place.height);
    view.paint(ink, drawn, state.place, state);
    const sheet = document.createElement("div");
    const frame = document.createElement("div");
    Object.assign(frame, { className: "head-frame", hidden: true });
    sheet.className = "sheet";
    sheet.append(ink.element, frame);
    box.replaceChildren(sheet);
    byId("spoken").textContent = view.spoken(drawn, state);
    if (windows.length > 1) {
      const last = drawn.start + drawn.tokens.length;
      byId("window-words").textContent = `Sources ${drawn.start + 1} to ${last} of ${drawn.count}`;
    }
  }

  /* ---- the table ---- */

  const row = (cells, name) => {
    const line = document.createElement("tr");
    line.append(
      ...cells.map((text) => {
        const cell = document.createElement(name);
        cell.textContent = text;
        return cell;
      }),
    );
    return line;
  };
  const words = (value) =>
    value === null ? "" : typeof value === "number" && !Number.isInteger(value) ? page.signed(value) : value;

  function table({ columns, rows }) {
    byId("columns").append(row(columns, "th"));
    byId("rows").append(...rows.map((cells) => row(cells.map(words), "td")));
  }

  /* ---- pointer and keyboard ---- */

  function under(event) {
    const canvas = byId("picture").querySelector("canvas");
    if (event.target !== canvas) return null;
    const edge = canvas.getBoundingClientRect();
    return view.hit(windows[at], state.place, event.clientX - edge.left, event.clientY - edge.top, state);
  }

  document.addEventListener("mousemove", (event) => {
    const target = under(event);
    const frame = document.querySelector(".head-frame");
    frame.hidden = !target;
    if (target) {
      const [x, y, width, height] = view.frame(windows[at], state.place, target);
      const size = { width: `${width}px`, height: `${height}px` };
      Object.assign(frame.style, { transform: `translate(${x}px, ${y}px)`, ...size });
      const tip = view.tip(windows[at], target, state);
      window.flowviz.showTooltip(tip, event.clientX, event.clientY);
    } else if (over) window.flowviz.hideTooltip();
    over = Boolean(target);
  });

  document.addEventListener("click", (event) => {
    const target = under(event);
    const { key, dim } = target ? view.click(windows[at], target, state) : {};
    if (key !== undefined) state.key = key;
    if (dim !== undefined && dim !== null) state.dim = dim === state.dim ? null : dim;
    if (target) draw();
    const { step } = event.target.dataset;
    if (step) turn(Number(step));
  });

  function turn(step) {
    at = Math.max(0, Math.min(windows.length - 1, at + step));
    draw();
  }

  document.addEventListener("keydown", (event) => {
    if (event.target.closest("select")) return;
    if (event.key === "[" || event.key === "]") turn(event.key === "]" ? 1 : -1);
    if (event.key !== "Escape") return;
    Object.assign(state, { key: null, dim: null });
    draw();
  });

  theme();
  byId("of-dims").hidden = data.view !== "neurons";
  byId("windows").hidden = windows.length === 1;
  byId("dims").addEventListener("input", ({ target }) => {
    state.dims = target.value;
    draw();
  });
  at = Math.max(0, windows.findIndex(({ positions, most }) => positions && positions.includes(most)));
  table(data.table);
  new ResizeObserver(draw).observe(byId("picture"));
})();
