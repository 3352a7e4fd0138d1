/* The neuron view: the query, every source's key and their product, a cell a dimension. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.head = flowviz.head || {});
  const ROWS = [17, 28]; // pixels a source, at least and at most
  const TITLES = 16;
  const TICKS = 34; // where the numbers of the dimensions stand
  const QUERY = 40; // where the query's band begins
  const BAND = 22; // its height
  const FIRST = 72; // where the first source stands
  const GAP = 14;
  const LETTER = 7.3;
  const SMALL = 6.7; // the same at 11 pixels
  const TICK = 22; // pixels between two numbers of dimensions
  const MOST_IN_TIP = 5;

  /* Numbers as they came, unpacked. */
  function unpack(packed) {
    const arrays = ["q", "deciding", "k", "score", "pattern"];
    const made = Object.fromEntries(arrays.map((name) => [name, page.floats(packed[name])]));
    return { ...packed, ...made };
  }

  function layout(data, width, height) {
    const room = Math.floor((height - FIRST - 10) / data.tokens.length);
    const longest = Math.max(...data.tokens.map((text) => Array.from(text).length), 4);
    const label = Math.min(180, Math.max(92, 24 + LETTER * (longest + 4)), width * 0.24);
    const row = Math.max(ROWS[0], Math.min(ROWS[1], room));
    const [score, bar] = [62, Math.min(110, Math.max(60, width * 0.11))];
    const band = Math.max(40, (width - label - score - bar - 4 * GAP) / 2);
    const keys = label + GAP;
    const products = keys + band + GAP;
    const scores = products + band + GAP;
    return {
      width, label, band, keys, products, score, bar, row,
      scores, bars: scores + score + GAP / 2,
      cell: band / data.d_head,
      height: FIRST + row * data.tokens.length + 10,
    }; // prettier-ignore
  }

  /* The dimensions as they stand from left to right. */
  const ordered = (data, state) =>
    state.dims === "deciding" ? data.strongest : [...Array(data.d_head).keys()];
  const strength = (value, largest) => Math.sqrt(Math.min(1, Math.abs(value) / largest));
  const rowAt = (place, row) => FIRST + place.row * row;
  const share = (data, row, dim) => data.q[dim] * data.k[row * data.d_head + dim] * data.scale;

  function paint(ink, data, place, state) {
    const { colours } = state;
    ink.rect(0, 0, place.width, place.height, colours.paper);
    titles(ink, data, place, state);
    const dims = ordered(data, state);
    const band = (x, y, high, value, largest) => {
      dims.forEach((dim, at) => {
        const size = value(dim);
        const fill = size < 0 ? colours.against : colours.for;
        ink.rect(x + at * place.cell, y, place.cell, high, fill, strength(size, largest));
      });
    };
    band(place.keys, QUERY, BAND, (dim) => data.q[dim], data.largest.q);
    band(place.products, QUERY, BAND, (dim) => data.deciding[dim], data.largest.deciding);
    data.tokens.forEach((_, row) => {
      source(ink, data, place, state, row);
      const key = (dim) => data.k[row * data.d_head + dim];
      band(place.keys, rowAt(place, row) + 1, place.row - 2, key, data.largest.k);
      band(place.products, rowAt(place, row) + 1, place.row - 2, (dim) => data.q[dim] * key(dim), data.largest.product);
    });
    marked(ink, data, place, state, dims);
  }

  function titles(ink, data, place, { colours, dims }) {
    const soft = { fill: colours["soft-ink"], size: 11 };
    const letters = Math.floor((place.band + GAP) / SMALL);
    const title = (x, long, short) => ink.text(x, TITLES, long.length > letters ? short : long, soft);
    title(place.keys, "query, and below it the keys", "query, keys");
    title(place.products, "what decides, and query × key", "decides");
    ink.text(place.scores + place.score, FIRST - 8, "score", { ...soft, anchor: "right" });
    ink.text(place.bars, FIRST - 8, "attention", soft);
    const words = page.cut(data.reads, Math.floor(place.label / LETTER));
    ink.text(place.label, QUERY + 15, words, { fill: colours.ink, anchor: "right", weight: 700 });
    const order = ordered(data, { dims });
    const step = Math.max(1, Math.ceil(TICK / place.cell));
    for (let at = 0; at < data.d_head; at += step) {
      [place.keys, place.products].forEach((x) =>
        ink.text(x + (at + 0.5) * place.cell, TICKS, String(order[at]), { ...soft, size: 9, anchor: "middle" }),
      );
    }
  }

  /* The name, the score and the attention of a source. */
  function source(ink, data, place, { colours, key }, row) {
    const y = rowAt(place, row);
    const base = y + place.row / 2 + 4;
    const most = data.positions[row] === data.most;
    if (data.positions[row] === key) ink.rect(0, y, place.width, place.row, colours["accent-wash"]);
    const letters = Math.floor(place.label / LETTER) - 1;
    const words = page.cut(`${data.positions[row]} ${data.tokens[row]}`, letters);
    const ink_ = most ? colours.accent : colours.ink;
    ink.text(place.label, base, words, { fill: ink_, anchor: "right", weight: most ? 700 : 400 });
    const seen = Number.isFinite(data.score[row]);
    const score = seen ? page.signed(data.score[row]) : "–";
    const soft = seen ? colours.ink : colours["soft-ink"];
    ink.text(place.scores + place.score, base, score, { fill: soft, size: 11, anchor: "right" });
    ink.rect(place.bars, y + 3, Math.max(0, (place.bar - 42) * data.pattern[row]), place.row - 6, colours.accent);
    const after = place.bars + (place.bar - 42) * data.pattern[row] + 4;
    ink.text(after, base, page.percent(data.pattern[row]), { fill: soft, size: 10 });
  }

  /* The frames around blocks, and around the marked dimension. */
  function marked(ink, data, place, { colours, dim }, dims) {
    const high = place.row * data.tokens.length;
    [place.keys, place.products].forEach((x) => {
      ink.frame(x - 0.5, QUERY - 0.5, place.band + 1, BAND + 1, colours.line);
      ink.frame(x - 0.5, FIRST - 0.5, place.band + 1, high + 1, colours.line);
      const at = dims.indexOf(dim);
      if (at < 0) return;
      const wide = Math.max(3, place.cell);
      ink.frame(x + at * place.cell - 0.5, QUERY - 2, wide, FIRST + high - QUERY + 4, colours.accent);
    });
  }

  /* What is at a place: {row, dim, block}; row -1 is the query. */
  function hit(data, place, x, y, state) {
    const row = y < QUERY || y > place.height ? null : y < QUERY + BAND ? -1 : Math.floor((y - FIRST) / place.row);
    if (row === null || row < -1 || row >= data.tokens.length || (row < 0 && y > QUERY + BAND)) return null;
    const within = [place.keys, place.products].findIndex((left) => x >= left && x < left + place.band);
    if (within < 0) return { row, dim: null, block: null };
    const left = within ? place.products : place.keys;
    const at = Math.min(data.d_head - 1, Math.floor((x - left) / place.cell));
    return { row, dim: ordered(data, state)[at], block: within ? "products" : "keys", at };
  }

  /* Where the frame under the pointer stands. */
  function frame(data, place, { row, block, at }) {
    const y = row < 0 ? QUERY : rowAt(place, row);
    const high = row < 0 ? BAND : place.row;
    if (block === null) return [0, y, place.width, high];
    return [place[block] + at * place.cell - 1, y - 1, Math.max(3, place.cell) + 2, high + 2];
  }

  const sourceName = (data, row) => `${data.positions[row]} ${data.tokens[row]}`;

  function tip(data, { row, dim }) {
    if (row < 0) return dim === null ? [`${data.name} looks from ${data.reads}`] : queryTip(data, dim);
    if (dim === null) return sourceTip(data, row);
    const key = data.k[row * data.d_head + dim];
    return [
      `dimension ${dim} at ${sourceName(data, row)}`,
      `query ${page.signed(data.q[dim])}  key ${page.signed(key)}  product ${page.signed(data.q[dim] * key)}`,
      `share of the score ${page.signed(share(data, row, dim))}, decides ${page.signed(data.deciding[dim])}`,
    ];
  }

  function queryTip(data, dim) {
    const rank = data.strongest.indexOf(dim) + 1;
    return [
      `dimension ${dim} of the query at ${data.reads}`,
      `query ${page.signed(data.q[dim])}`,
      `decides ${page.signed(data.deciding[dim])}, number ${rank} of ${data.d_head}`,
    ];
  }

  function sourceTip(data, row) {
    const dims = [...Array(data.d_head).keys()];
    dims.sort((a, b) => Math.abs(share(data, row, b)) - Math.abs(share(data, row, a)));
    const shares = dims.slice(0, MOST_IN_TIP).map((dim) => `dimension ${dim}  ${page.signed(share(data, row, dim))}`);
    const most = data.positions[row] === data.most ? ", the most" : "";
    return [
      `${data.reads} reads ${sourceName(data, row)}`,
      `score ${page.signed(data.score[row])}, attention ${page.percent(data.pattern[row])}${most}`,
      ...shares,
    ];
  }

  /* What a click does. */
  const click = (data, { row, dim }) =>
    row < 0 ? { dim } : { key: data.positions[row], ...(dim === null ? {} : { dim }) };

  function spoken(data, { key }) {
    const row = data.positions.indexOf(key ?? data.most);
    return row < 0 ? "" : sourceTip(data, row).slice(0, 2).join("; ");
  }

  page.views = page.views || {};
  page.views.neurons = { unpack, layout, paint, hit, frame, tip, click, spoken };
})();
