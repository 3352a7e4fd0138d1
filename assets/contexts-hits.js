/* The contexts that were found: sentences with their marks, colours of annotations, attention where
   one points. Words and tokens come from outside: text only, never markup. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.contexts = flowviz.contexts || {});
  const keep = () => window.dash_clientside.no_update;
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const byId = (id) => document.getElementById(id);
  const make = (...all) => page.make(...all);
  const STEP = 50; // as in flowviz/ui/contexts/stores.py
  const CLASSES = 10; // values that have a colour of their own
  const MOST_WEIGHTS = 5;
  const SAID = [["upos", ""], ["deprel", ""], ["entity", "entity "], ["lemma", "lemma "]];
  let data = null; // what is listed
  let look = { colour: "upos", offsets: [] };
  let rows = []; // {hit, element, pieces, weights} of each hit
  let at = 0; // the hit that the keyboard is on
  let token = null; // and the token of it, where one was gone to

  const box = () => byId(page.ids().RESULTS);
  page.listed = () => data; // benchmarks and tests ask for it

  /* Hits, the annotation that colours, at which offsets → draws them */
  function contextsHits(given, colour, offsets) {
    const more = data && given && given !== data && continues(given);
    data = given;
    look = { colour, offsets: (offsets || []).map(Number) };
    if (!given || !box()) return keep();
    const top = more ? box().scrollTop : 0;
    draw();
    if (!more) at = 0;
    token = null;
    box().scrollTop = top;
    return keep();
  }

  const continues = (given) =>
    given.hits.length > data.hits.length && data.hits.every((hit, i) => hit.row === given.hits[i].row);

  function draw() {
    const start = performance.now();
    const classes = classesOf();
    rows = data.hits.map((hit, i) => row(hit, i, classes));
    const left = data.total - data.hits.length;
    const parts = rows.map(({ element }) => element);
    if (left > 0) parts.push(moreButton(left));
    else if (data.total && data.fewer) parts.push(make("p", "dim fewer", data.fewer));
    if (!data.total) parts.push(nothing());
    box().replaceChildren(...parts);
    box().dataset.drawn = `${data.hits.length}-${look.colour}`;
    box().dataset.took = (performance.now() - start).toFixed(1);
    box().closest(".canvas").classList.add("filled");
    drawLegend(classes);
  }

  /* ---- colours ---- */

  const wordOf = (hit, piece) => hit.words[piece[2]];
  const offsetOf = (hit, piece) =>
    piece[2] < 0 || hit.pieces[hit.at][2] < 0 ? null : piece[2] - hit.pieces[hit.at][2];

  function valueOf(hit, piece) {
    const word = wordOf(hit, piece);
    return word && look.offsets.includes(offsetOf(hit, piece)) ? word[look.colour] : undefined;
  }

  /* The values in sight, the most frequent first, with the number of words that have each. */
  function classesOf() {
    const counts = new Map();
    data.hits.forEach((hit) => {
      const seen = new Set();
      hit.pieces.forEach((piece) => {
        const value = valueOf(hit, piece);
        if (value === undefined || seen.has(piece[2])) return;
        seen.add(piece[2]);
        counts.set(value, (counts.get(value) || 0) + 1);
      });
    });
    return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  }

  const lookOf = (classes, value) => {
    const place = classes.findIndex(([name]) => name === value);
    return place < 0 ? "" : place < CLASSES ? `class-${place}` : "class-other";
  };

  function drawLegend(classes) {
    const legend = byId(page.ids().LEGEND);
    const none = look.colour !== "none" && !data.annotations.includes(look.colour);
    const marks = [entry("matched", "matched"), entry("attended", "most attended")];
    if (none) {
      legend.replaceChildren(...marks, make("span", "dim", "no such annotation in this corpus: no colours"));
      return;
    }
    const shown = classes.slice(0, CLASSES).map(([name, count]) => entry(lookOf(classes, name), name, count));
    const rest = classes.slice(CLASSES);
    if (rest.length) shown.push(entry("class-other", "others", rest.reduce((sum, [, n]) => sum + n, 0)));
    legend.replaceChildren(...marks, ...shown);
  }

  function entry(kind, name, count) {
    const span = make("span");
    span.append(make("i", kind), make("span", "", name));
    if (count !== undefined) span.title = `${count.toLocaleString("en")} words`;
    return span;
  }

  /* ---- a context ---- */

  function row(hit, i, classes) {
    const element = make("div", "hit");
    element.dataset.hit = i;
    element.setAttribute("role", "group");
    const score = make("div", "hit-score");
    const bar = make("i");
    bar.style.width = `${100 * hit.bar}%`;
    score.append(make("b", "", hit.score), bar);
    const text = make("div", "hit-text");
    const pieces = hit.pieces.map((piece, place) => pieceOf(hit, piece, place, classes));
    if (hit.before) text.append(make("small", "cut", `${hit.before} tokens before … `));
    pieces.forEach((piece, place) => text.append(...(hit.pieces[place][1] ? [" ", piece] : [piece])));
    if (hit.after) text.append(make("small", "cut", ` … ${hit.after} more`));
    if (hit.plain) text.append(make("div", "plain-text", hit.plain));
    const place = make("div", "hit-place");
    place.append(make("span", "place-words", hit.place), ...hit.links.map(link));
    element.append(score, text, place);
    return { hit, element, pieces, weights: null };
  }

  function link({ words, tip, href }) {
    const anchor = make("a", "", words);
    anchor.href = href;
    anchor.title = tip;
    anchor.tabIndex = -1; // Enter on the context goes here
    return anchor;
  }

  function pieceOf(hit, piece, place, classes) {
    const [text, , , special] = piece;
    const span = make("span", "piece", text);
    span.dataset.piece = place;
    if (special) span.classList.add("special");
    if (place === hit.at) span.classList.add("matched");
    if (place === hit.attended) span.classList.add("attended");
    const kind = lookOf(classes, valueOf(hit, piece));
    if (kind) span.classList.add(kind);
    return span;
  }

  function moreButton(left) {
    const button = make("button", "quiet more-hits", `Show ${Math.min(left, STEP)} more of ${left}`);
    button.type = "button";
    button.addEventListener("click", () =>
      setProps(page.ids().LIMIT, { data: data.hits.length + STEP }),
    );
    return button;
  }

  /* No hit: why, and what could be dropped. */
  function nothing() {
    const words = make("div", "no-hits");
    words.append(make("h2", "", "Nothing was found"));
    words.append(make("p", "", data.fewer || "No token of the corpus is like this."));
    page.limits().forEach(([name, drop]) => words.append(page.dropChip(name, drop, "drop")));
    return words;
  }

  /* ---- attention ---- */

  function weightsOf(one) {
    if (!one.weights) one.weights = flowviz.attention.floats(one.hit.attention);
    const count = one.pieces.length;
    return (query) => one.weights.subarray(query * count, (query + 1) * count);
  }

  let lit = null; // the row whose attention is shown

  function light(one, query) {
    unlight();
    lit = one;
    const weights = weightsOf(one)(query);
    one.element.classList.add("attending");
    one.pieces.forEach((piece, key) => piece.style.setProperty("--w", Math.sqrt(weights[key] || 0).toFixed(3)));
    one.pieces[query].classList.add("looking");
  }

  function unlight() {
    if (!lit) return;
    lit.element.classList.remove("attending");
    lit.pieces.forEach((piece) => piece.classList.remove("looking"));
    lit = null;
  }

  const percent = (weight) => `${(100 * weight).toFixed(weight < 0.1 ? 1 : 0)}%`;

  /* Of a token: its word, and what it looks at. */
  page.pieceTip = function (one, query) {
    const { hit } = one;
    const word = wordOf(hit, hit.pieces[query]);
    const weights = [...weightsOf(one)(query)].map((weight, key) => [weight, key]);
    const top = weights.filter(([weight]) => weight > 0).sort((a, b) => b[0] - a[0]);
    const said = SAID.filter(([name]) => word && word[name]).map(([name, lead]) => lead + word[name]);
    const of = word && word.governor ? [`governed by ${word.governor}`] : [];
    const seen = top.slice(0, MOST_WEIGHTS).map(([weight, key]) => `${percent(weight)}  ${hit.pieces[key][0]}`);
    return [
      word && word.form !== hit.pieces[query][0] ? `${hit.pieces[query][0]} in ${word.form}` : hit.pieces[query][0],
      ...(said.length ? [[...said, ...of].join(", ")] : []),
      data.looks,
      ...(seen.length ? seen : ["nothing that is shown here"]),
    ];
  };

  function point(target, x, y) {
    const piece = target && target.closest && target.closest(".piece");
    const found = piece && rows[Number(piece.closest(".hit").dataset.hit)];
    if (!found) {
      if (over) flowviz.hideTooltip();
      if (over) unlight();
      over = null;
      return;
    }
    if (over !== piece) light(found, Number(piece.dataset.piece));
    over = piece;
    flowviz.showTooltip(page.pieceTip(found, Number(piece.dataset.piece)), x, y);
  }

  let over = null; // the token that is pointed at
  document.addEventListener("mousemove", (event) => {
    if (!flowviz.pages || !box()) return;
    const inside = event.target.closest && event.target.closest(".hit-text");
    point(inside ? event.target : null, event.clientX, event.clientY);
  });

  /* ---- keyboard ---- */

  const clamp = (value, last) => Math.max(0, Math.min(last, value));

  function mark(scroll) {
    rows.forEach(({ element }, i) => {
      element.classList.toggle("now", i === at);
      element.querySelectorAll("a").forEach((anchor) => (anchor.tabIndex = i === at ? 0 : -1));
    });
    const one = rows[at];
    if (!one) return;
    if (scroll) one.element.scrollIntoView({ block: "nearest" });
    const query = token ?? one.hit.at;
    light(one, query);
    const edge = one.pieces[query].getBoundingClientRect();
    if (token !== null) flowviz.showTooltip(page.pieceTip(one, query), edge.left, edge.bottom);
    else flowviz.hideTooltip();
    byId(page.ids().SPOKEN).textContent = token === null ? spoken(one) : page.pieceTip(one, query).join("; ");
  }

  function spoken({ hit }) {
    const seen = hit.attended === null ? "" : `, looks most at ${hit.pieces[hit.attended][0]}`;
    const text = hit.pieces.map((piece) => (piece[1] ? " " : "") + piece[0]).join("");
    return `${at + 1} of ${data.total}, score ${hit.score}: ${hit.pieces[hit.at][0]}${seen}. ${text}`;
  }

  const STEPS = { ArrowUp: -1, ArrowDown: 1, PageUp: -8, PageDown: 8, Home: -Infinity, End: Infinity };
  const ACROSS = { ArrowLeft: -1, ArrowRight: 1 };

  /* A key within the list; whether it was one of its own. */
  page.hitKey = function (event) {
    if (!rows.length) return false;
    if (event.key in STEPS) {
      at = clamp(at + STEPS[event.key], rows.length - 1);
      token = null;
    } else if (event.key in ACROSS) {
      const one = rows[at];
      token = clamp((token ?? one.hit.at) + ACROSS[event.key], one.pieces.length - 1);
    } else if (event.key === "Escape") {
      token = null;
      box().focus({ preventScroll: true });
    } else if (event.key === "Enter" && event.target === box()) {
      const first = rows[at].element.querySelector("a");
      mark(true);
      first.focus();
      return true;
    } else {
      return false;
    }
    mark(true);
    if (event.key !== "Escape" && event.target !== box()) box().focus({ preventScroll: true });
    return true;
  };

  document.addEventListener("focusin", (event) => {
    if (!flowviz.pages || !box() || event.target !== box()) return;
    if (box().matches(":focus-visible")) mark(false);
  });
  document.addEventListener("focusout", (event) => {
    if (!flowviz.pages || !box() || !box().contains(event.target)) return;
    if (box().contains(event.relatedTarget)) return;
    rows.forEach(({ element }) => element.classList.remove("now"));
    unlight();
    flowviz.hideTooltip();
  });

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { contextsHits });
})();
