/* What the model predicts at each token: of the token in sight as chips, of all as a table. It draws
   plain data (views/attention/readings.py); tokens come from outside: text only, never markup. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.attention = flowviz.attention || {});
  const IN_ROW = 2;
  const LONGEST = 18;

  function make(name, look, text) {
    const element = document.createElement(name);
    if (look) element.className = look;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  const percent = (chance) =>
    chance < 0.0001 ? "<0.01%" : `${(100 * chance).toFixed(chance < 0.1 ? 1 : 0)}%`;
  const isMasked = (readings, row) => readings.masked.includes(row.at);

  /* Where the token that is there, or that follows, stands among the predictions. */
  function ownWords(readings, { own, rank, found }) {
    if (own === null) return "";
    const what = readings.next ? `what follows (${own})` : "itself";
    if (rank === null) return `${what}: not among the ${found.length} likeliest`;
    return `${what}: rank ${rank}, ${percent(found[rank - 1][1])}`;
  }

  function tipOf(readings, row) {
    const all = row.found.map(([text, chance], i) => `${i + 1}. ${text}  ${percent(chance)}`);
    return [`At ${row.at} ${row.text}${isMasked(readings, row) ? " (masked)" : ""}:`, ...all,
      ownWords(readings, row)].filter(Boolean).join("\n"); // prettier-ignore
  }

  function chip(text, chance, own) {
    const box = make("span", own ? "guess own" : "guess");
    const bar = make("i", "bar");
    bar.style.width = `${(100 * chance).toFixed(1)}%`;
    box.append(make("span", "", page.cut(text, LONGEST)), make("small", "", percent(chance)), bar);
    return box;
  }

  const chips = (row, most) =>
    row.found.slice(0, most).map(([text, chance], i) => chip(text, chance, row.rank === i + 1));

  /* The predictions at one token, the pinned one or the first that is masked, in a line. */
  page.drawReading = function (box, readings, position) {
    const rows = readings ? readings.rows : [];
    const wanted = position ?? rows.map(({ at }) => at).find((at) => readings.masked.includes(at));
    const row = rows.find(({ at }) => at === wanted);
    if (!row) {
      const hint = rows.length ? "Click a token to see what the model predicts there." : "";
      box.replaceChildren(make("span", "dim", hint));
      return;
    }
    const masked = isMasked(readings, row) ? ", masked" : "";
    const name = `${readings.next ? "After" : "At"} ${row.at} ${page.cut(row.text, LONGEST)}${masked}`;
    box.replaceChildren(make("span", "strip-name", name), ...chips(row, row.found.length),
      make("span", "dim own-words", ownWords(readings, row))); // prettier-ignore
    box.title = tipOf(readings, row);
  };

  /* A table: each token with its strongest predictions. */
  page.drawReadings = function (box, readings, position) {
    const rows = readings ? readings.rows.map((row) => tableRow(readings, row, position)) : [];
    box.replaceChildren(...rows);
    const now = box.querySelector(".now");
    if (now) box.scrollTop = now.offsetTop - (box.clientHeight - now.offsetHeight) / 2;
  };

  function tableRow(readings, row, position) {
    const masked = isMasked(readings, row);
    const looks = ["reading-row", masked && "masked", row.at === position && "now"];
    const line = make("button", looks.filter(Boolean).join(" "));
    line.type = "button";
    line.dataset.reading = row.at;
    line.title = tipOf(readings, row);
    const name = make("span", "reading-name");
    name.append(make("small", "", String(row.at)), make("span", "reading-word", page.cut(row.text, LONGEST)));
    const found = make("span", "reading-found");
    found.append(...chips(row, IN_ROW));
    if (row.rank > IN_ROW) found.append(make("small", "dim", `#${row.rank}`));
    line.append(name, found);
    return line;
  }

  /* Readings, the pinned token → nothing; draws both */
  function attentionReadings(readings, token) {
    const keep = window.dash_clientside.no_update;
    const ids = page.ids();
    const [strip, table] = [ids.READING, ids.READINGS].map((id) => document.getElementById(id));
    if (!strip) return keep;
    const position = token && (token.side === "query" || !page.crosses()) ? token.position : null;
    page.drawReading(strip, readings, position);
    page.drawReadings(table, readings, position);
    table.closest(".readings-panel").hidden = !readings;
    return keep;
  }

  /* Whether the tokens that are read are others than those that look. */
  page.crosses = () => {
    const layer = page.shownLayer();
    return Boolean(layer && layer.keys);
  };

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { attentionReadings });
})();
