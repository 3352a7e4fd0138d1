/* Which lines the head view draws: numbers only, nothing of the page. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.attention = flowviz.attention || {});
  const NONE = { special: [], second: null, masked: [] };

  /* A layer as it came from the server, unpacked. `sources[j]` is a position, or less than 0 for a
     row of several tokens; values are [head, query, source]. */
  page.unpack = function (packed) {
    const { queries, sources } = packed;
    return {
      ...packed,
      words: { query: packed.tokens, source: packed.keys || packed.tokens },
      columns: packed.columns || { query: NONE, source: NONE },
      first: sources.flatMap((at, j) => (at === 0 ? [j] : [])),
      values: page.floats(packed.data).map((value) => value * packed.unit),
      totals: packed.totals ? page.singles(packed.totals) : null,
      count: { queries: queries.length, sources: sources.length },
      // how many rows the column on the left stands lower, so that equal tokens stand side by side
      lead: packed.keys ? 0 : Math.max(0, sources.indexOf(queries[0])),
    };
  };

  page.value = (layer, head, i, j) =>
    layer.values[(head * layer.count.queries + i) * layer.count.sources + j];

  /* Sum of the absolute values of one row. */
  page.total = function (layer, head, i) {
    const start = (head * layer.count.queries + i) * layer.count.sources;
    let sum = 0;
    for (let j = 0; j < layer.count.sources; j++) sum += Math.abs(layer.values[start + j]);
    return sum;
  };

  /* Which text a row's tokens are of: "a", "b", or "" where it has tokens of both, or there is one
     text. */
  page.textOf = function (layer, side, at) {
    const { second } = layer.columns[side];
    if (second === null || second === undefined) return "";
    const places = at < 0 ? layer.sums[at] : [at];
    if (places.every((place) => place < second)) return "a";
    return places.every((place) => place >= second) ? "b" : "";
  };

  /* What settings hide: queries and sources, by place. Attention on hidden sources is left out, and
     what remains is not scaled up. */
  page.hidden = function (layer, { hide, textOnly, pairs }) {
    const only = layer.pairs && pairs && pairs !== "all" ? pairs : "";
    const away = (side, letter) => (at) =>
      (textOnly && layer.columns[side].special.includes(at)) ||
      Boolean(letter && page.textOf(layer, side, at) !== letter);
    const queries = layer.queries.map(away("query", only[0]));
    const sources = layer.sources.map(away("source", only[1]));
    if (hide) layer.first.forEach((j) => { sources[j] = true; });
    return { queries, sources };
  };

  /* All chosen heads as one, their mean or their sum. */
  page.merged = function (layer, heads, how) {
    const size = layer.count.queries * layer.count.sources;
    const values = new Float32Array(size);
    for (const head of heads) {
      for (let k = 0; k < size; k++) values[k] += layer.values[head * size + k];
    }
    if (how === "mean" && heads.length) values.forEach((value, k) => { values[k] = value / heads.length; });
    return { ...layer, values, totals: null, merged: how, of: heads.length };
  };

  /* The strongest lines that hold `mass` of what is left of each row, and what was hidden. Rows of
     several tokens are no lines among others: they are always drawn, and of the rest the strongest.
     `hidden` says of queries and of sources whether they are. */
  page.lines = function (layer, heads, { mass, hidden }) {
    const lines = [];
    let [whole, away, largest] = [0, 0, 0];
    heads.forEach((head, slot) => {
      for (let i = 0; i < layer.count.queries; i++) {
        if (hidden.queries[i]) continue;
        const row = strongest(layer, head, i, hidden.sources);
        const add = ([j, value]) =>
          lines.push({ head, slot, i, j, value, share: Math.abs(value) / row.whole });
        whole += row.whole;
        away += row.away;
        row.sums.forEach(add);
        let held = 0;
        for (const entry of row.entries) {
          if (held >= mass * row.left) break;
          held += Math.abs(entry[1]);
          largest = Math.max(largest, Math.abs(entry[1]));
          add(entry);
        }
      }
    });
    return { lines, hiddenShare: whole ? away / whole : 0, largest };
  };

  function strongest(layer, head, i, hidden) {
    const [entries, sums] = [[], []];
    let [whole, left, away] = [0, 0, 0];
    for (let j = 0; j < layer.count.sources; j++) {
      const value = page.value(layer, head, i, j);
      const size = Math.abs(value);
      whole += size;
      if (hidden[j]) away += size;
      else if (!size) continue;
      else if (layer.sources[j] < 0) sums.push([j, value]);
      else {
        left += size;
        entries.push([j, value]);
      }
    }
    entries.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    return { entries, sums, whole, left, away };
  }

  /* How much each token of the other column has, over all heads: what shows as its ground. */
  page.sums = function (layer, heads, hidden, token) {
    const { queries, sources } = layer.count;
    const toLeft = token && token.side === "source";
    const sums = new Float32Array(toLeft ? queries : sources);
    for (const head of heads) {
      for (let i = 0; i < queries; i++) {
        if (hidden.queries[i] || (token && !toLeft && token.place !== i)) continue;
        for (let j = 0; j < sources; j++) {
          if (hidden.sources[j] || (toLeft && token.place !== j)) continue;
          sums[toLeft ? i : j] += Math.abs(page.value(layer, head, i, j));
        }
      }
    }
    const most = sums.reduce((a, b) => Math.max(a, b), 0) || 1;
    return { side: toLeft ? "query" : "source", grounds: sums.map((each) => each / most) };
  };
})();
