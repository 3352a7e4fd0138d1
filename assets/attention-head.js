/* The head view: two columns of tokens and a line for the attention from one to another. It draws
   plain packed data (`page.unpack`) into the box that it is given, and asks nothing of a server. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.attention = flowviz.attention || {});
  const LEVELS = 24; // of opacity: lines of one level are one path, those of level 0 none
  const FAINT = 0.3; // of rows of several tokens, which else would cover all others
  const SIDES = ["query", "source"];
  let view = null; // {layer, shown, heads, slots, settings, hidden, found, box, svg, pinned, pointed}

  /* The theme's colours, asked for once a drawing: each question makes the browser compute styles. */
  function inks(layer) {
    const names = ["--accent", "--ink", "--soft-ink", "--for", "--against"];
    const heads = [...Array(layer.heads).keys()].map((head) => page.headColour(head));
    return { ...Object.fromEntries(names.map((name) => [name, page.colour(name)])), heads };
  }

  /* Draws a layer's chosen heads into a box; how long that took, in milliseconds. Settings:
       mass      of each row, the share of what is left that lines hold
       hide      whether the first token is left out
       textOnly  whether tokens that stand for no text are
       pairs     of two texts, from which to which: "all", "aa", "ab", "ba", "bb"
       merge     "each" head has its line, or one is their "mean" or "sum"
       token     {side, position} of the pinned token, or null */
  page.drawHeads = function (box, given, heads, settings) {
    const start = performance.now();
    const columns = Object.values(given.columns);
    const layer = { ...given, pairs: columns.every(({ second }) => Number.isInteger(second)) };
    const merged = settings.merge && settings.merge !== "each";
    const shown = merged ? page.merged(layer, heads, settings.merge) : layer;
    const slots = merged ? [0].slice(0, heads.length) : heads;
    const hidden = page.hidden(layer, settings);
    const found = page.lines(shown, slots, { mass: settings.mass, hidden });
    view = { width: box.clientWidth, layer, shown, heads, slots, hidden, settings, found };
    Object.assign(view, { box: page.columnsOf(layer, box.clientWidth), inks: inks(layer) });
    Object.assign(view, { pinned: placeOf(settings.token), pointed: null });
    view.svg = picture();
    box.replaceChildren(view.svg);
    page.light();
    return performance.now() - start;
  };

  function picture() {
    const { box: { width, height }, layer, heads, found } = view; // prettier-ignore
    const svg = page.svg("svg", {
      width, height, viewBox: `0 0 ${width} ${height}`, class: "heads-svg", role: "img",
      "font-family": "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace", "font-size": 12,
      "aria-label": `Attention of layer ${layer.layer}, ${heads.length} heads`,
    });
    const base = page.svg("g", { class: "lines" });
    base.innerHTML = grouped(found.lines); // numbers and colours of our own, no text of a prompt
    svg.append(...SIDES.map((side) => page.heading(view, side)), base, page.svg("g", { class: "over" }));
    for (const side of SIDES) {
      page.rowsOf(layer, side).forEach((_, place) => svg.append(page.token(view, side, place)));
    }
    return svg;
  }

  function placeOf(token) {
    const place = token ? page.rowsOf(view.layer, token.side).indexOf(token.position) : -1;
    return place < 0 ? null : { side: token.side, place };
  }

  /* Where a line of a head begins and ends: heads of one row lie beside each other. */
  page.lineEnds = function ({ slot, i, j }) {
    const { layer, slots } = view;
    const spread = Math.min(1.2, 10 / slots.length);
    const off = (slot - (slots.length - 1) / 2) * spread;
    return [page.yOf(layer, "query", i) + off, page.yOf(layer, "source", j) + off];
  };

  const tenth = (value) => Math.round(10 * value) / 10;
  function strength({ value, j }) {
    const plain = view.layer.weighting === "pattern" && !view.shown.merged;
    const size = plain ? value : Math.abs(value) / (view.found.largest || 1);
    return view.layer.sources[j] < 0 ? FAINT * Math.min(1, size) : size;
  }

  page.levelOf = (line) => Math.round(LEVELS * Math.min(1, strength(line)));

  function colourOf(line) {
    if (view.layer.signed) return view.inks[line.value < 0 ? "--against" : "--for"];
    return view.shown.merged ? view.inks["--accent"] : view.inks.heads[line.head];
  }

  /* A <g> for each query; in it a path for each head, sign and level of opacity. */
  function grouped(lines) {
    const { left, right } = view.box;
    const queries = view.layer.queries.map(() => new Map());
    const colours = new Map();
    for (const line of lines) {
      const level = page.levelOf(line);
      if (!level) continue;
      const sign = view.layer.signed && line.value < 0 ? "-" : "";
      const kind = view.layer.signed ? sign : `${line.head}`;
      if (!colours.has(kind)) colours.set(kind, colourOf(line));
      const [from, to] = page.lineEnds(line);
      const key = `${kind}|${level}`;
      const path = `M${left} ${tenth(from)}L${right} ${tenth(to)}`;
      const paths = queries[line.i];
      paths.set(key, (paths.get(key) || "") + path);
    }
    return queries.map((paths, i) => {
      const inner = [...paths].map(([key, d]) => {
        const [kind, level] = key.split("|");
        const opacity = (level / LEVELS).toFixed(3);
        return `<path d="${d}" stroke="${colours.get(kind)}" stroke-opacity="${opacity}"/>`;
      });
      return `<g data-query="${i}" fill="none" stroke-width="1.5">${inner.join("")}</g>`;
    }).join(""); // prettier-ignore
  }

  /* Whose lines show: the token under the pointer, or the pinned one, which stays while the pointer
     is on the column opposite; null for all. */
  page.inSight = function () {
    const { pointed, pinned } = view;
    return pointed && !(pinned && pinned.side !== pointed.side) ? pointed : pinned;
  };
  page.touches = (line, { side, place }) => (side === "query" ? line.i : line.j) === place;
  page.pairOf = (token, other) =>
    token.side === "query" ? [token.place, other] : [other, token.place];

  /* Shows the lines of the token in sight above all others. */
  page.light = function () {
    const token = page.inSight();
    const over = view.svg.querySelector(".over");
    view.svg.classList.toggle("pointed", Boolean(token));
    const own = token ? view.found.lines.filter((line) => page.touches(line, token)) : [];
    over.innerHTML = token ? grouped(own) : "";
    if (token) over.append(...shares(token));
    grounds(token);
    view.svg.querySelectorAll(".token").forEach((group) => {
      const { side, place } = group.dataset;
      const pinned = view.pinned && view.pinned.side === side && view.pinned.place === Number(place);
      group.classList.toggle("pinned", Boolean(pinned));
    });
  };

  /* Each head's share, as squares beside the other column. */
  function shares(token) {
    const { layer, heads, hidden, box: { column, shares: room, left, right } } = view; // prettier-ignore
    const other = token.side === "query" ? "source" : "query";
    const size = Math.min(9, room / heads.length);
    const squares = [];
    page.rowsOf(layer, other).forEach((_, place) => {
      const [i, j] = page.pairOf(token, place);
      if (hidden.queries[i] || hidden.sources[j]) return;
      heads.forEach((head, slot) => {
        const value = page.value(layer, head, i, j);
        const share = Math.abs(value) / (page.total(layer, head, i) || 1);
        if (share < 0.01) return;
        const x = other === "source" ? right + column + 2 + slot * size
          : left - column - 2 - (slot + 1) * size; // prettier-ignore
        const fill = layer.signed ? colourOf({ value }) : view.inks.heads[head];
        squares.push(page.svg("rect", { x, y: page.yOf(layer, other, place) - 5, width: size - 0.8,
          height: 10, fill, "fill-opacity": share.toFixed(3) })); // prettier-ignore
      });
    });
    return squares;
  }

  function grounds(token) {
    const { side, grounds: levels } = page.sums(view.layer, view.heads, view.hidden, token);
    view.svg.querySelectorAll(".token").forEach((group) => {
      const on = group.dataset.side === side;
      const level = on ? levels[group.dataset.place] : 0;
      group.firstChild.setAttribute("fill-opacity", (0.45 * level).toFixed(3));
    });
  }

  page.drawnHeads = () => view;
})();
