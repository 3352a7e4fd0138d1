/* Why there: a heat map of what wrote the query by what wrote the key. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.head = flowviz.head || {});
  const LETTER = 7.3;
  const TITLE = 18;
  const WIDEST = 52; // pixels of a cell
  const HIGHEST = 30;
  const SMALLEST = 13;
  const DIGITS = 38; // a cell so wide has room for its number
  const MOST_LETTERS = 18;

  const unpack = (packed) => ({ ...packed, pairs: page.floats(packed.pairs) });

  const room = (parts) =>
    12 + LETTER * Math.min(MOST_LETTERS, Math.max(...parts.map(({ name }) => Array.from(name).length), 6));

  function layout(data, width, height) {
    const left = Math.min(room(data.rows), width * 0.3);
    const top = TITLE + 14 + room(data.columns);
    const fit = (space, count, most) => Math.max(SMALLEST, Math.min(most, Math.floor(space / count)));
    const wide = fit(width - left - 4, data.columns.length, WIDEST);
    const high = fit(height - top - 12, data.rows.length, HIGHEST);
    const needed = left + wide * data.columns.length + 4;
    return {
      left, top, wide, high,
      width: Math.max(width, needed),
      height: top + high * data.rows.length + 8,
    }; // prettier-ignore
  }

  function paint(ink, data, place, { colours }) {
    const { left, top, wide, high } = place;
    const soft = { fill: colours["soft-ink"], size: 11 };
    ink.rect(0, 0, place.width, place.height, colours.paper);
    ink.text(left, TITLE - 4, `→ what wrote the key, ${page.cut(data.read, 24)}`, soft);
    ink.text(4, top - 6, "↓ query", soft);
    const letters = Math.floor((left - 10) / LETTER);
    data.rows.forEach((part, i) => {
      const fill = part.node ? colours.ink : colours["soft-ink"];
      ink.text(left - 6, top + high * (i + 0.5) + 4, page.cut(part.name, letters), { fill, anchor: "right" });
    });
    data.columns.forEach((part, j) => {
      const fill = part.node ? colours.ink : colours["soft-ink"];
      const x = left + wide * (j + 0.5) + 4;
      ink.text(x, top - 6, page.cut(part.name, MOST_LETTERS), { fill, up: true });
    });
    data.rows.forEach((_, i) => data.columns.forEach((__, j) => cell(ink, data, place, colours, i, j)));
    ink.frame(left - 0.5, top - 0.5, wide * data.columns.length + 1, high * data.rows.length + 1, colours.line);
  }

  function cell(ink, data, { left, top, wide, high }, colours, i, j) {
    const value = data.pairs[i * data.columns.length + j];
    const fill = value < 0 ? colours.against : colours.for;
    const opacity = Math.sqrt(Math.min(1, Math.abs(value) / data.largest));
    ink.rect(left + wide * j + 0.5, top + high * i + 0.5, wide - 1, high - 1, fill, opacity);
    if (wide < DIGITS || Math.abs(value) < 0.005) return;
    const words = `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(Math.abs(value) < 9.95 ? 2 : 1)}`;
    const ink_ = opacity > 0.62 ? colours.paper : colours.ink;
    ink.text(left + wide * (j + 0.5), top + high * (i + 0.5) + 4, words, { fill: ink_, size: 10, anchor: "middle" });
  }

  /* What is at a place: a cell {row, column}, or a name alone. */
  function hit(data, place, x, y) {
    const column = Math.floor((x - place.left) / place.wide);
    const row = Math.floor((y - place.top) / place.high);
    const inRows = row >= 0 && row < data.rows.length;
    const inColumns = column >= 0 && column < data.columns.length;
    if (inRows && inColumns) return { row, column };
    if (inRows && x < place.left) return { row, column: null };
    if (inColumns && y < place.top && y > TITLE) return { row: null, column };
    return null;
  }

  function frame(data, { left, top, wide, high }, { row, column }) {
    if (column === null) return [0, top + high * row, left, high];
    if (row === null) return [left + wide * column, TITLE, wide, top - TITLE];
    return [left + wide * column, top + high * row, wide, high];
  }

  function tip(data, { row, column }) {
    const [asks, asked] = [data.rows[row], data.columns[column]];
    if (!asks || !asked) {
      const part = asks || asked;
      const open = part.node ? ["Click to open it in the flow"] : [];
      return [part.tip, `beyond ${part.beyond}, share ${part.share}`, ...open];
    }
    return [
      `${page.signed(data.pairs[row * data.columns.length + column])} of the score`,
      `query: ${asks.tip}`,
      `key: ${asked.tip}`,
    ];
  }

  /* A name leads into the flow: through its link in the tables. */
  function click(data, { row, column }) {
    if (row !== null && column !== null) return {};
    return { part: row !== null ? { side: 0, place: row } : { side: 1, place: column } };
  }

  const spoken = (data) => `${data.name} at ${data.reads} looks at ${data.read}`;

  page.views = page.views || {};
  page.views.why = { unpack, layout, paint, hit, frame, tip, click, spoken };
})();
