/* One file of attention, without a server: the choices, both views, pointer and keyboard. */
(function () {
  "use strict";
  const page = window.flowviz.attention;
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const model = page.unpackModel(data.model);
  const chosen = { view: "heads", layer: 0, window: 0, heads: null, token: null };
  let layer = null; // the layer and window that are drawn, unpacked
  let found = null; // the finder's kind, unpacked

  page.ids = () => ({ LENS: "lens" });

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => {
    document.documentElement.dataset.mantineColorScheme = dark.matches ? "dark" : "light";
  };
  dark.addEventListener("change", () => [theme(), draw()]);

  const everyHead = () => [...Array(layer.heads).keys()];
  const headsOf = () => chosen.heads || everyHead();

  function draw() {
    byId("head-view").hidden = chosen.view !== "heads";
    if (chosen.view === "model") page.drawModel(byId("model-view"), model, found);
    else drawHeads();
  }

  function drawHeads() {
    const packed = data.layers[chosen.layer][chosen.window];
    if (!layer || layer.from !== packed) {
      layer = { ...page.unpack({ ...data.shared, ...packed }), from: packed };
    }
    page.drawSquares(byId("squares"), layer, headsOf());
    page.drawHeads(byId("head-view"), layer, headsOf(), {
      mass: Number(byId("mass").value) / 100,
      hide: byId("hide").checked,
      textOnly: byId("text-only").checked,
      pairs: byId("pairs").value,
      merge: byId("merge").value,
      token: chosen.token,
    });
    byId("mass-words").textContent = `${byId("mass").value}%`;
    byId("spoken").textContent = page.spoken();
    windows();
  }

  /* Choices that these tokens do not have are not offered. */
  function offer() {
    const columns = Object.values(data.shared.columns);
    byId("of-pairs").hidden = !columns.every(({ second }) => Number.isInteger(second));
    byId("of-special").hidden = !columns.some(({ special }) => special.length);
  }

  function windows() {
    const { queries, tokens } = layer;
    byId("windows").hidden = data.layers[0].length === 1;
    byId("window-words").textContent =
      `Tokens ${queries[0]} to ${queries[queries.length - 1]} of ${tokens.length}`;
  }

  function choose(next) {
    Object.assign(chosen, next);
    byId("layer").value = chosen.layer;
    document.body.classList.toggle("is-heads", chosen.view === "heads");
    document.body.classList.toggle("is-model", chosen.view === "model");
    document.querySelectorAll("[data-view]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.view === chosen.view));
    });
    byId("lens").hidden = true;
    window.flowviz.hideTooltip();
    draw();
  }

  function toggle(head) {
    const on = new Set(headsOf());
    on.has(head) ? on.delete(head) : on.add(head);
    choose({ heads: [...on].sort((a, b) => a - b) });
  }

  const openHead = (at) => choose({ view: "heads", layer: at.layer, heads: [at.head] });
  const within = (low, value, high) => Math.max(low, Math.min(high, value));
  const stepLayer = (value) => choose({ layer: within(0, value, data.layers.length - 1) });

  /* ---- the finder ---- */

  function find(place) {
    const kind = data.kinds[place];
    byId("kind-words").textContent = kind ? kind.words : "Nothing to look for in these tokens.";
    if (!kind) return;
    found = { name: kind.name, values: page.floats(kind.data), strongest: kind.strongest };
    byId("found").replaceChildren(...kind.strongest.map(row));
    if (chosen.view === "model") draw();
  }

  function row([level, head, score]) {
    const line = document.createElement("tr");
    const [name, number] = [document.createElement("td"), document.createElement("td")];
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: `L${level} H${head}` });
    button.addEventListener("click", () => openHead({ layer: level, head }));
    name.append(button);
    number.textContent = score.toFixed(2);
    line.append(name, number);
    return line;
  }

  function kinds() {
    byId("kind").append(...data.kinds.map(({ name }, place) => new Option(name, place)));
    byId("kind").addEventListener("change", (event) => find(Number(event.target.value)));
  }

  /* ---- pointer and keyboard ---- */

  const inside = (event, id) => event.target.closest && event.target.closest(`#${id}`);

  document.addEventListener("mousemove", (event) => {
    if (inside(event, "head-view")) page.pointHeads(event);
    else page.leaveHeads();
    const at = inside(event, "model-view") ? page.headAt(event) : null;
    if (at || !byId("lens").hidden) page.enlarge(at, event.clientX, event.clientY);
  });

  document.addEventListener("click", (event) => {
    const { square, view, step } = event.target.dataset;
    if (square) toggle(Number(square));
    if (view) choose({ view });
    if (step) {
      const last = data.layers[0].length - 1;
      choose({ window: within(0, chosen.window + Number(step), last), token: null });
    }
    if (inside(event, "head-view")) choose({ token: page.clickedToken(event) });
    const at = inside(event, "model-view") && page.headAt(event);
    if (at) openHead(at);
  });

  document.addEventListener("dblclick", ({ target }) => {
    if (target.dataset.square) choose({ heads: [Number(target.dataset.square)] });
  });

  const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select")) return;
    const [right, down] = ARROWS[event.key] || [];
    if (event.key === "[" || event.key === "]") stepLayer(chosen.layer + (event.key === "]" ? 1 : -1));
    else if (event.key === "Escape") choose({ token: null });
    else if (event.key === "Enter" && inside(event, "model-view") && page.modelAt) openHead(page.modelAt);
    else if (right !== undefined && inside(event, "head-view")) {
      choose({ token: page.nextToken(down, right) });
    } else if (right !== undefined && inside(event, "model-view")) {
      const at = page.walkModel([right, down]);
      if (at) byId("spoken").textContent = page.headWords(at);
    } else return;
    event.preventDefault();
  });

  byId("layer").max = data.layers.length - 1;
  byId("layer").addEventListener("change", ({ target }) => stepLayer(Number(target.value) || 0));
  byId("every").addEventListener("click", () =>
    choose({ heads: headsOf().length === layer.heads ? [] : null }),
  );
  ["mass", "hide", "text-only", "pairs", "merge"].forEach((id) => byId(id).addEventListener("input", draw));
  new ResizeObserver(draw).observe(byId("head-view").parentElement);

  theme();
  offer();
  kinds();
  choose({});
  find(0);
})();
