/* The two columns of the head view: where they stand, what tokens are called and how they look. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.attention = flowviz.attention || {});
  const ROW = 20; // pixels a token
  const TOP = 26; // for the headings of the columns
  const LETTER = 7.3; // about, of the fixed-width font at 12 pixels
  const PADDING = 20; // of the box, both sides, as in 80-attention.css
  const HEADINGS = { query: "reads", source: "is read" };

  /* The sizes of a picture of a layer in a box so wide. */
  page.columnsOf = function (layer, wide) {
    const width = Math.max(260, wide - PADDING);
    const all = [layer.between, layer.behind || "", ...layer.words.query, ...layer.words.source];
    const longest = Math.max(...all.map((text) => Array.from(text).length));
    const wanted = Math.max(90, 26 + LETTER * (longest + (layer.pairs ? 6 : 4)));
    const column = Math.round(Math.min(wanted, 210, Math.max(84, width * 0.24)));
    const shares = Math.round(Math.min(90, width * 0.1));
    const rows = Math.max(layer.count.sources, layer.count.queries + layer.lead);
    return {
      width, column, shares, height: TOP + ROW * rows + 8,
      left: column + shares, right: width - column - shares,
    };
  };

  page.rowsOf = (layer, side) => (side === "query" ? layer.queries : layer.sources);
  page.yOf = (layer, side, place) =>
    TOP + ROW * (place + (side === "query" ? layer.lead : 0)) + ROW / 2;

  const sumOf = (layer, at) => (at === -1 ? layer.between : layer.behind);

  /* A row's name as tooltips say it: its number, its token, and what hides it. */
  page.rowName = function (layer, side, place) {
    const at = page.rowsOf(layer, side)[place];
    if (at < 0) return sumOf(layer, at);
    const masked = layer.columns[side].masked.includes(at) ? " (masked)" : "";
    const text = page.textOf(layer, side, at).toUpperCase();
    return `${text && `${text} `}${at} ${layer.words[side][at]}${masked}`;
  };

  page.heading = function (view, side) {
    const { left, right } = view.box;
    const query = side === "query";
    return page.svg("text", { x: query ? left - 6 : right + 6, y: 15,
      "text-anchor": query ? "end" : "start", fill: view.inks["--soft-ink"],
      "font-size": 11 }, HEADINGS[side]); // prettier-ignore
  };

  /* One row of a column: its ground, its number, its token, and the letter of its text. */
  page.token = function (view, side, place) {
    const { layer, box: { column, left, right } } = view; // prettier-ignore
    const query = side === "query";
    const at = page.rowsOf(layer, side)[place];
    const y = page.yOf(layer, side, place);
    const x = query ? left - column : right;
    const marks = layer.columns[side];
    const masked = marks.masked.includes(at);
    const looks = ["token", masked && "masked", marks.special.includes(at) && "special"];
    const group = page.svg("g", { class: looks.filter(Boolean).join(" "), "data-side": side, "data-place": place });
    const frame = masked ? { stroke: view.inks["--ink"], "stroke-dasharray": "3 2" } : {};
    group.append(page.svg("rect", { x, y: y - ROW / 2, width: column, height: ROW - 1, rx: 3,
      fill: view.inks["--accent"], "fill-opacity": 0, ...frame })); // prettier-ignore
    const letter = page.textOf(layer, side, at);
    const room = Math.floor((column - (letter ? 28 : 12)) / LETTER);
    group.append(words(view, side, place, { y, room, masked }));
    if (letter) group.append(textMark(view, query, letter, x, column, y));
    return group;
  };

  /* The number and the token of a row, cut to so many letters. */
  function words(view, side, place, { y, room, masked }) {
    const { layer, hidden, inks, box: { left, right } } = view; // prettier-ignore
    const query = side === "query";
    const at = page.rowsOf(layer, side)[place];
    const soft = at < 0 || layer.columns[side].special.includes(at);
    const line = page.svg("text", { x: query ? left - 6 : right + 6, y: y + 4,
      "text-anchor": query ? "end" : "start", direction: "ltr",
      opacity: hidden[query ? "queries" : "sources"][place] ? 0.45 : 1,
      fill: inks[soft ? "--soft-ink" : "--ink"] }); // prettier-ignore
    const number = at < 0 ? "" : `${at} `;
    const text = page.cut(at < 0 ? sumOf(layer, at) : layer.words[side][at], room - number.length);
    line.append(page.svg("tspan", { fill: inks["--soft-ink"], "font-size": 10 }, number));
    line.append(page.svg("tspan", masked ? { "text-decoration": "line-through" } : {}, text));
    return line;
  }

  /* A letter and a bar at the outer edge: which of two texts a token is of. */
  function textMark(view, query, letter, x, column, y) {
    const ink = view.inks[letter === "a" ? "--soft-ink" : "--accent"];
    const edge = query ? x : x + column;
    const mark = page.svg("g", { class: "text-mark", fill: ink });
    mark.append(page.svg("rect", { x: query ? edge : edge - 2, y: y - ROW / 2, width: 2, height: ROW }));
    mark.append(page.svg("text", { x: query ? edge + 6 : edge - 6, y: y + 3.5, "font-size": 9,
      "text-anchor": query ? "start" : "end" }, letter.toUpperCase())); // prettier-ignore
    return mark;
  }
})();
