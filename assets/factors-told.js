/* One factor: its contexts, painted by its activation; and one of them split into its tokens. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.factors = flowviz.factors || {});
  const keep = () => window.dash_clientside.no_update;
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const byId = (id) => document.getElementById(id);
  const make = (...all) => page.make(...all);
  const TABS = [["top", "Strongest"], ["bands", "All strengths"]];
  const WHY = "Which tokens this activation comes from: by masking them, and by flow";

  /* One factor, an activation's tokens, which contexts → draws them */
  function factorsTold(told, split, tab) {
    const box = byId(page.ids().FACTOR);
    if (!box) return keep();
    box.closest(".canvas").classList.toggle("filled", Boolean(told));
    if (!told) {
      box.replaceChildren();
      delete box.dataset.drawn;
      return keep();
    }
    const own = split && split.factor === told.factor ? split : null;
    const lists = tab === "bands" ? told.bands.map((each) => band(told, each, own)) : [contexts(told, told.top, own)];
    box.replaceChildren(head(told, tab), ...lists);
    box.dataset.drawn = `${told.factor}-${tab}-${own ? `${own.sentence}:${own.at}` : "whole"}`;
    return keep();
  }

  function head(told, tab) {
    const line = make("div", "factor-head");
    const title = make("h2", "", told.title);
    title.append(make("small", "", ` ${told.where}`));
    const tabs = make("div", "tabs");
    tabs.setAttribute("role", "tablist");
    TABS.forEach(([name, words]) => {
      const button = page.button("", words, () => setProps(page.ids().TAB, { data: name }));
      button.setAttribute("role", "tab");
      button.setAttribute("aria-selected", String(name === tab));
      tabs.append(button);
    });
    line.append(title, ...switchedOn(told), tabs);
    return line;
  }

  /* The way to the prompt's flow with the factor on at the last token. */
  function switchedOn({ on, most }) {
    if (!on) return [];
    const link = make("a", "switch-on", "Switch on in the prompt");
    link.href = on;
    return [page.tip(link, [`The prompt's flow with this factor set to ${most} at the last token,`,
      "the strongest that it is in the corpus there"])];
  }

  function band(told, given, split) {
    const section = make("section", "band");
    const title = make("h3", "", given.title);
    title.append(make("small", "", ` ${given.count}`));
    section.append(title, contexts(told, given.contexts, split));
    return section;
  }

  function contexts(told, given, split) {
    const list = make("div", "factor-contexts");
    if (!given.length) list.append(make("p", "dim", "It is active nowhere in this corpus at this layer."));
    given.forEach((each) => list.append(context(told, each, split)));
    return list;
  }

  function context(told, given, split) {
    const open = split && split.sentence === given.sentence && split.at === given.at;
    const element = make("div", "factor-context");
    const score = make("div", "hit-score");
    const bar = make("i");
    bar.style.width = `${100 * given.bar}%`;
    score.append(make("b", "", given.strength), bar);
    page.tip(score, given.tip);
    const text = make("div", "hit-text");
    if (given.before) text.append(make("small", "cut", "… "));
    text.append(...pieces(given.tokens, given.position, "activation"));
    if (given.behind) text.append(make("small", "cut", " …"));
    const place = make("div", "hit-place");
    const why = page.button("plain", open ? "Close" : "Why here?", () =>
      open ? page.closeContext() : page.openContext(told.factor, given.sentence, given.at));
    why.title = open ? "Close the split" : WHY;
    why.setAttribute("aria-expanded", String(Boolean(open)));
    why.setAttribute("aria-label", `${open ? "Close the split" : "Why here?"} ${given.word} ${given.strength}`);
    place.append(make("span", "place-words", given.place), why);
    element.append(score, text, place);
    if (open) element.append(splitOf(split));
    return element;
  }

  /* Tokens with their paint: above zero in one colour, below in the other. */
  function pieces(tokens, position, what) {
    return tokens.flatMap(([text, gap, paint, value], i) => {
      const span = make("span", "painted", text);
      span.style.setProperty("--a", Math.abs(paint).toFixed(3));
      if (paint < 0) span.classList.add("below");
      if (i === position) span.classList.add("matched");
      page.tip(span, [text, `${what} ${value}`]);
      return gap && i ? [" ", span] : [span];
    });
  }
  page.pieces = pieces;

  function splitOf(split) {
    const box = make("div", "split");
    split.lines.forEach((line) => {
      const row = make("div", "split-line");
      const name = make("b", "", line.name);
      const text = make("div", "hit-text");
      text.append(...pieces(line.tokens, line.position, line.name === "Flow" ? "flow" : "weight"));
      row.append(name, text, make("small", "dim", line.words));
      box.append(row);
    });
    box.append(...split.notes.map((note) => make("p", "dim", note)));
    return box;
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { factorsTold });
})();
