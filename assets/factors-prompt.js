/* A prompt's factors: rows of factors, columns of tokens, one layer of it at a time. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.factors = flowviz.factors || {});
  const keep = () => window.dash_clientside.no_update;
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const byId = (id) => document.getElementById(id);
  const make = (...all) => page.make(...all);
  let data = null; // the prompt's factors
  let site = 0; // the layer that is shown
  let open = null; // the factor that is open
  let order = []; // the rows that are drawn
  let at = [0, 0]; // the cell that the keyboard is on

  const box = () => byId(page.ids().HEAT);

  /* The prompt's factors, the factor that is open, the layer → draws the table */
  function factorsPrompt(given, told, layer) {
    if (!box()) return keep();
    box().hidden = !given;
    if (!given) {
      data = null;
      box().replaceChildren();
      delete box().dataset.drawn;
      return keep();
    }
    if (given !== data) at = [0, 0];
    data = given;
    open = told ? told.factor : null;
    const found = data.sites.findIndex((each) => each.site === layer);
    site = found < 0 ? Math.floor(data.sites.length / 2) : found;
    const grid = heat();
    const left = data.rows.length - order.length;
    const more = `${left} of the prompt's ${data.rows.length} strongest factors are active only at other layers.`;
    const said = left ? [make("p", "dim", more)] : [];
    at[0] = Math.min(at[0], Math.max(0, order.length - 1));
    box().replaceChildren(words(), layers(), grid, ...said, ...data.notes.map((note) => make("p", "dim", note)));
    box().dataset.drawn = `${data.rows.length}x${data.tokens.length}-${data.sites[site].site}-${open}`;
    return keep();
  }

  const rowOf = (factor) => data.rows.findIndex((row) => row.factor === factor);
  const cellsOf = (row) => (row < 0 ? [] : data.cells[site][row]);

  /* The prompt itself, painted by the factor that is open. */
  function words() {
    const line = make("div", "prompt-words");
    const row = rowOf(open);
    const painted = new Map(cellsOf(row).map(([position, paint, value]) => [position, [paint, value]]));
    const tokens = data.tokens.map(([text, gap], i) => [text, gap, ...(painted.get(i) || [0, "0"])]);
    const where = data.sites[site].words;
    const said = row < 0 ? "not among the strongest factors of this prompt" : `${painted.size} of ${tokens.length} tokens ${where}`;
    const text = make("div", "hit-text");
    text.append(...page.pieces(tokens, -1, "activation"));
    if (open !== null) line.append(make("b", "", `Factor ${open}`), make("small", "", said));
    line.append(text);
    return line;
  }

  /* A button for each site: what its factors explain there, and what the loss becomes. */
  function layers() {
    const list = make("div", "heat-layers");
    list.setAttribute("role", "group");
    list.setAttribute("aria-label", "Layer of the table");
    const names = make("div", "layer-names");
    names.append(make("span", "", "layer"), make("span", "", "explained"), make("span", "", "loss"));
    list.append(names);
    data.sites.forEach((each, i) => {
      const button = page.button("layer", "", () => setProps(page.ids().LAYER, { data: each.site }));
      button.setAttribute("aria-pressed", String(i === site));
      button.setAttribute("aria-label", each.tip.join("; "));
      const bar = make("i");
      bar.style.height = `${100 * each.bar}%`;
      button.append(bar, make("b", "", each.label), make("span", "", each.explained), make("small", "", each.loss));
      list.append(page.tip(button, each.tip));
    });
    return list;
  }

  /* The rows that are active at this layer, the strongest first. */
  function sorted() {
    const sums = data.cells[site].map((cells) => cells.reduce((sum, [, paint]) => sum + paint, 0));
    const active = data.rows.map((_, r) => r).filter((r) => sums[r] > 0);
    return active.sort((a, b) => sums[b] - sums[a]);
  }

  function heat() {
    const grid = make("div", "heat");
    grid.tabIndex = 0;
    grid.setAttribute("role", "group");
    grid.setAttribute("aria-label", box().dataset.name);
    grid.style.setProperty("--columns", data.tokens.length);
    const head = make("div", "heat-row heat-head");
    head.append(make("span", "heat-name", ""), ...data.tokens.map(([text], i) => column(text, i)));
    order = sorted();
    grid.append(head, ...order.map(heatRow), rest());
    grid.addEventListener("keydown", walk);
    grid.addEventListener("focusout", () => mark(false));
    return grid;
  }

  /* A token, that leads to the flow with its state opened. */
  function column(text, i) {
    const { held, others, opened } = data.sites[site];
    const cell = make(opened ? "a" : "span", "heat-token", text);
    if (opened) cell.href = flowAt(i);
    const more = others[i] ? [`${others[i]} more factors than these are active`] : [];
    const way = opened ? ["Click to see it in the flow, opened into its factors"] : [];
    return page.tip(cell, [`${i} ${text}`, `${(100 * held[i]).toFixed(0)}% of its vector explained`, ...more, ...way]);
  }

  function flowAt(position) {
    const { opened, node } = data.sites[site];
    const { model, prompt } = page.shown || page.flat();
    const query = new URLSearchParams({ model, prompt, opened: opened.join(position) });
    if (node) query.set("node", node + position);
    return `${document.querySelector(".pages a").pathname}?${query}`;
  }

  function heatRow(r) {
    const row = data.rows[r];
    const line = make("div", "heat-row");
    line.classList.toggle("open", row.factor === open);
    const name = make("button", "heat-name", `${row.factor} `);
    name.type = "button";
    name.tabIndex = -1; // the arrows go here
    name.dataset.factor = row.factor;
    name.append(make("small", "", row.word));
    line.append(name);
    cellsOf(r).forEach(([position, paint, value]) => {
      const cell = make("i", "heat-cell");
      cell.style.gridColumn = position + 2;
      cell.style.setProperty("--a", paint);
      cell.dataset.factor = row.factor;
      cell.dataset.at = position;
      line.append(page.tip(cell, cellTip(row, position, value)));
    });
    return line;
  }

  const cellTip = (row, position, value) => [
    `Factor ${row.factor}${row.word ? `, ${row.word}` : ""}`,
    `${value} at ${position} ${data.tokens[position][0]}, ${data.sites[site].words}`,
  ];

  /* How much of each token's vector is held, below the rows. */
  function rest() {
    const line = make("div", "heat-row heat-held");
    line.append(make("span", "heat-name", "explained"));
    data.sites[site].held.forEach((share, i) => {
      const cell = make("span", "held");
      const bar = make("i");
      bar.style.height = `${100 * Math.max(0, Math.min(1, share))}%`;
      cell.append(bar);
      line.append(page.tip(cell, [`${i} ${data.tokens[i][0]}`, `${(100 * share).toFixed(0)}% explained`]));
    });
    return line;
  }

  /* ---- keyboard ---- */

  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const clamp = (value, last) => Math.max(0, Math.min(last, value));

  function walk(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !order.length) return;
    if (event.key === "Enter") page.openFactor(data.rows[order[at[0]]].factor);
    else if (event.key in STEPS) {
      const [down, right] = STEPS[event.key];
      at = [clamp(at[0] + down, order.length - 1), clamp(at[1] + right, data.tokens.length - 1)];
      mark(true);
    } else return;
    event.preventDefault();
  }

  function mark(on) {
    const lines = box().querySelectorAll(".heat-row:not(.heat-head, .heat-held)");
    lines.forEach((line, r) => line.classList.toggle("now", on && r === at[0]));
    box().querySelectorAll(".heat-token").forEach((cell, c) => cell.classList.toggle("now", on && c === at[1]));
    box().querySelectorAll(".heat-cell.now").forEach((cell) => cell.classList.remove("now"));
    if (!on) return flowviz.hideTooltip();
    const row = data.rows[order[at[0]]];
    const found = cellsOf(order[at[0]]).find(([position]) => position === at[1]);
    const tip = cellTip(row, at[1], found ? found[2] : "0");
    const cell = lines[at[0]].querySelector(`[data-at="${at[1]}"]`);
    if (cell) cell.classList.add("now");
    const head = box().querySelectorAll(".heat-token")[at[1]];
    lines[at[0]].scrollIntoView({ block: "nearest", inline: "nearest" });
    const edge = lines[at[0]].getBoundingClientRect();
    flowviz.showTooltip(tip, head.getBoundingClientRect().left, edge.bottom);
    page.say(tip.join(": "));
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { factorsPrompt });
})();
