/* The page of contexts: the question. One store holds all of it as a link has it; boxes, switches,
   chips, heads and bars change that store, and the server answers what it says. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.contexts = flowviz.contexts || {});
  const ids = () => (flowviz.pages ? flowviz.pages.contexts : {}); // names.js comes later
  page.ids = ids;
  const DEMO = "demo"; // the corpus that is there where none is named
  const HITS = 50; // how many are found where no number is named
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const keep = () => window.dash_clientside.no_update;
  const trigger = () => window.dash_clientside.callback_context.triggered_id;
  const byId = (id) => document.getElementById(id);
  const form = flowviz.asked(() => ids().ASKED);
  let sizes = null; // of the model, and of what was asked last
  let boxes = {}; // what the controls hold, by their ids

  page.here = () => byId(ids().ROOT);
  page.flat = () => form.flat;
  page.sizes = () => sizes;
  page.make = function (name, look, text) {
    const element = document.createElement(name);
    if (look) element.className = look;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  /* What would not show in a text, made visible. */
  page.plain = (text) =>
    text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) =>
      `⟨U+${one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`,
    );

  /* A question without what says nothing, or what is meant anyway. */
  function bare(flat) {
    const all = Object.entries(flat).filter(([, value]) => value !== "" && value !== undefined);
    const own = Object.fromEntries(all);
    if (sizes && sizes.of.model === own.model && own.site === sizes.default) delete own.site;
    return own;
  }

  /* The same as text, so that two can be compared. */
  function meant(flat) {
    const own = bare(flat);
    if (own.least) own.least = String(Number(own.least));
    return JSON.stringify(Object.entries(own).sort());
  }

  /* Another question: what is shown with `changes`; `again`, also where it is the same. */
  page.change = function (changes, again) {
    const flat = bare({ ...form.flat, ...changes });
    if (!again && meant(flat) === meant(form.flat)) return;
    form.change({ flat, ...(flat.prompt ? {} : { idle: true }), ...(again ? { again: Date.now() } : {}) });
  };

  /* The question, the model's sizes → which blocks there are; draws what the panel shows of both */
  function contextsHold(asked, fitted) {
    const root = page.here();
    form.take(asked);
    if (!root) return "";
    const fresh = fitted && fitted !== sizes;
    sizes = fitted || null;
    if (!sizes) [boxes, page.shown] = [{}, null];
    if (fresh) setBoxes();
    root.dataset.kind = page.site().split(":")[0] || "resid_pre";
    page.drawFilters();
    page.drawSquares();
    page.drawGrid();
    page.drawMask();
    return sizes ? `of 0 to ${sizes.layers - 1}` : "";
  }

  /* The controls show what is shown, unless something else was chosen since. */
  function setBoxes() {
    if (meant(sizes.of) !== meant(form.flat)) return;
    Object.entries(sizes.shown).forEach(([box, value]) => {
      if (boxes[box] !== value) setProps(box, box in SWITCHED() ? { checked: value } : { value });
      boxes[box] = value;
    });
  }
  const SWITCHED = () => ({ [ids().OTHER]: true, [ids().ONE_EACH]: true });

  page.site = () => form.flat.site || (sizes && sizes.default) || "";

  /* ---- what is asked of what ---- */

  /* Run, another model, an example, the second text left out → prompt, model */
  function contextsRun(run, model, picks, leave, prompt, examples) {
    const what = trigger();
    if (what && what.type) return picks.some(Boolean) ? example(examples[what.index]) : none();
    if (what === ids().MODEL) otherModel(model, prompt);
    else if (what === ids().RUN && run) runPrompt(prompt);
    else if (what === ids().LEAVE_OUT && leave) leaveOut();
    return none();
  }
  const none = () => [keep(), keep()];

  function example(link) {
    form.change({ flat: { ...link }, again: Date.now() });
    hideSecond();
    return [link.prompt, link.model];
  }

  const BARE = { position: "", mask: "", site: "", chosen: "", heads: "" };

  function otherModel(model, prompt) {
    if (model === form.flat.model) return;
    const read = sizes && sizes.corpora[form.flat.corpus];
    const corpus = read && (!read.length || read.includes(model)) ? {} : { corpus: "", part: "" };
    page.change({ ...BARE, ...corpus, model, prompt: prompt || form.flat.prompt || "" });
  }

  function runPrompt(prompt) {
    const wrong = flowviz.promptFault(prompt);
    if (wrong) {
      setProps(flowviz.pages.shell.NOTICE, { data: { title: "That cannot be searched for", text: wrong } });
      return;
    }
    const other = prompt !== form.flat.prompt;
    const moved = other ? { position: "", mask: "" } : {};
    page.change({ ...(page.shown ? moved : BARE), prompt }, true);
  }

  function hideSecond() {
    document.querySelector(".contexts-page .second-text").hidden = true;
  }
  function leaveOut() {
    hideSecond();
    page.change({ second: "", mask: "", position: "" });
  }

  /* Which vector: its kind, its block, its neuron */
  function contextsSite(kind, layer, neuron) {
    Object.assign(boxes, { [ids().KIND]: kind, [ids().LAYER]: layer, [ids().NEURON]: neuron });
    const now = page.site();
    const site = kind === "resid_final" ? kind : `${kind}:${layer}`;
    const number = String(Number(neuron) || 0);
    if (site === now && (kind !== "neurons" || number === form.flat.chosen)) return keep();
    const kept = now.startsWith("heads:") ? form.flat.chosen : "";
    const chosen = kind === "neurons" ? number : kind === "heads" ? kept : "";
    page.change({ site, chosen });
    return keep();
  }

  function contextsChoose(corpus, metric, most, part, least, other, oneEach, first) {
    const names = ["CORPUS", "METRIC", "MOST", "PART", "LEAST", "OTHER", "ONE_EACH", "FIRST"];
    const held = [corpus, metric, most, part, least, other, oneEach, first];
    names.forEach((name, i) => (boxes[ids()[name]] = held[i]));
    const named = corpus === DEMO ? "" : corpus;
    const moved = named !== (form.flat.corpus || "");
    page.change({
      corpus: named,
      metric: metric === "cosine" ? "" : metric,
      count: !most || most === HITS ? "" : String(most),
      part: moved ? "" : part || "",
      least: least === "" || least === null || least === undefined ? "" : String(least),
      other_word: other ? "1" : "",
      one_each: oneEach ? "" : "0",
      first: first ? "1" : "",
    });
    return keep();
  }

  /* A token of the strip is asked about. */
  function contextsToken(position) {
    if (position === null || position === undefined) return keep();
    const same = sizes && !form.flat.position && sizes.position === position;
    if (!same) page.change({ position: String(position) });
    return keep();
  }

  /* ---- filters ---- */

  page.parts = (text, by) => (text || "").split(by).filter(Boolean);
  page.filters = () => page.parts(form.flat.filters, "\n");
  page.toggleFilter = function (text) {
    const now = page.filters();
    const next = now.includes(text) ? now.filter((one) => one !== text) : [...now, text];
    page.change({ filters: next.sort().join("\n") });
  };

  function contextsAdd(clicks, role, feature, sign, value) {
    if (!clicks || !value) return keep();
    const text = `${role}.${feature}${sign}${value}`;
    if (!page.filters().includes(text)) page.toggleFilter(text);
    return "";
  }

  /* The values that were counted of what is to be filtered. */
  function contextsValues(role, feature, summary) {
    const start = `${role}.${feature}=`;
    const own = summary ? summary.roles.flatMap((each) => each.charts) : [];
    const bars = own.flatMap((chart) => chart.bars).map((bar) => bar.filter || "");
    return bars.filter((each) => each.startsWith(start)).map((each) => each.slice(start.length));
  }

  function filterWords(text, words) {
    const [, role, feature, sign, value] = /^(\w+)\.(\w+)(!?=)([^]*)$/.exec(text) || [];
    if (!role) return page.plain(text);
    const what = `${words.roles[role] || role} ${(words.features[feature] || feature).toLowerCase()}`;
    return `${what} ${sign === "=" ? "is" : "is not"} ${page.plain(value)}`;
  }

  /* What narrows the search: in words, and the question without it. */
  page.limits = function () {
    const { part, least, other_word: other } = form.flat;
    const words = JSON.parse(byId(ids().FILTERS).dataset.words);
    const chips = page.filters().map((text) => [filterWords(text, words), () => page.toggleFilter(text)]);
    if (part) chips.push([`Part is ${page.plain(part)}`, () => page.change({ part: "" })]);
    if (least) chips.push([`Score at least ${least}`, () => page.change({ least: "" })]);
    if (other) chips.push(["Not the same word", () => page.change({ other_word: "" })]);
    return chips;
  };

  page.drawFilters = function () {
    const box = byId(ids().FILTERS);
    box.replaceChildren(...page.limits().map(([words, drop]) => page.dropChip(words, drop, "×")));
  };

  page.dropChip = function (words, drop, mark) {
    const button = page.make("button", "filter-chip");
    button.type = "button";
    button.title = `Drop this filter: ${words}`;
    button.append(page.make("span", "", words), page.make("b", "", mark));
    button.addEventListener("click", drop);
    return button;
  };

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, {
    contextsHold, contextsRun, contextsSite, contextsChoose, contextsToken, contextsAdd,
    contextsValues,
  }); // prettier-ignore
})();
