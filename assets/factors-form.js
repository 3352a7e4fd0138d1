/* The page of factors: the question. One store holds all of it as a link has it; boxes, rows, cells
   and buttons change that store, and the server answers what it says. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.factors = flowviz.factors || {});
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const keep = () => window.dash_clientside.no_update;
  const trigger = () => window.dash_clientside.callback_context.triggered_id;
  const byId = (id) => document.getElementById(id);
  const DEFAULTS = { dictionary: "coding", corpus: "demo", order: "importance", page: "0" }; // as in request.py
  const form = flowviz.asked(() => page.ids().ASKED);
  let fitted = null; // what the server says of it
  let boxes = {}; // what the controls hold, by their ids

  page.ids = () => (flowviz.pages ? flowviz.pages.factors : {}); // names.js comes later
  page.here = () => byId(page.ids().ROOT);
  page.flat = () => form.flat;
  page.make = function (name, look, text) {
    const element = document.createElement(name);
    if (look) element.className = look;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  page.button = function (look, text, act) {
    const button = page.make("button", look, text);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  };
  page.say = (text) => (byId(page.ids().SPOKEN).textContent = text);

  /* Texts for the tooltip, by element. */
  const tips = new WeakMap();
  page.tip = function (element, lines) {
    tips.set(element, lines);
    return element;
  };
  const tipped = (target) => {
    for (let one = target; one && one !== document; one = one.parentNode) if (tips.has(one)) return one;
    return null;
  };
  page.showTip = function (element, x, y) {
    const edge = element.getBoundingClientRect();
    flowviz.showTooltip(tips.get(element), x ?? edge.left, y ?? edge.bottom);
  };
  let over = false; // whether the tooltip is one of these
  document.addEventListener("mousemove", (event) => {
    if (!flowviz.pages || !page.here()) return;
    const element = tipped(event.target);
    if (element) page.showTip(element, event.clientX, event.clientY);
    else if (over) flowviz.hideTooltip();
    over = Boolean(element);
  });
  document.addEventListener("focusin", (event) => {
    if (!flowviz.pages || !page.here() || !tips.has(event.target)) return;
    if (event.target.matches(":focus-visible")) page.showTip(event.target);
  });
  document.addEventListener("focusout", (event) => {
    if (flowviz.pages && page.here() && tips.has(event.target)) flowviz.hideTooltip();
  });

  /* A question without what says nothing, or what is meant anyway. */
  const bare = (flat) =>
    Object.fromEntries(
      Object.entries(flat)
        .map(([name, value]) => [name, value === null || value === undefined ? "" : String(value)])
        .filter(([name, value]) => value !== "" && DEFAULTS[name] !== value),
    );
  const meant = (flat) => JSON.stringify(Object.entries(bare(flat)).sort());

  /* Another question: what is shown with `changes`; `again`, also where it is the same. */
  page.change = function (changes, again) {
    const flat = bare({ ...form.flat, ...changes });
    if (!again && meant(flat) === meant(form.flat)) return;
    flowviz.hideTooltip();
    form.change({ flat, ...(again ? { again: Date.now() } : {}) });
  };
  const NO_CONTEXT = { sentence: "", position: "" };
  page.openFactor = (factor) => page.change({ factor, ...NO_CONTEXT });
  page.openSite = (site) => page.change({ site, page: "", ...NO_CONTEXT });
  page.openContext = (factor, sentence, position) => page.change({ factor, sentence, position });
  page.closeContext = () => page.change(NO_CONTEXT);

  /* The question, what the server says of it → the controls show it */
  function factorsHold(asked, fit) {
    form.take(asked);
    if (!fit) [boxes, page.shown] = [{}, null];
    const fresh = fit && fit !== fitted;
    fitted = fit || null;
    if (fresh && meant(fitted.of) === meant(form.flat)) setBoxes();
    return keep();
  }

  function setBoxes() {
    Object.entries(fitted.shown).forEach(([box, value]) => {
      if (boxes[box] !== value) setProps(box, { value });
      boxes[box] = value;
    });
  }

  /* Run, another model, an example → prompt, model */
  function factorsRun(run, model, picks, prompt, examples) {
    const what = trigger();
    if (what && what.type) return picks.some(Boolean) ? example(examples[what.index]) : none();
    if (what === page.ids().MODEL) otherModel(model, prompt);
    else if (what === page.ids().RUN && run) runPrompt(prompt);
    return none();
  }
  const none = () => [keep(), keep()];

  function example(link) {
    const { layer, ...flat } = link;
    setProps(page.ids().LAYER, { data: layer || null });
    form.change({ flat: bare(flat), again: Date.now() });
    return [link.prompt || "", link.model];
  }

  const BARE = { dictionary: "", site: "", factor: "", page: "", text: "", level: "", ...NO_CONTEXT };

  function otherModel(model, prompt) {
    if (model === form.flat.model) return;
    page.change({ ...BARE, model, prompt: prompt || "" });
  }

  function runPrompt(prompt) {
    const wrong = prompt ? flowviz.promptFault(prompt) : null;
    if (wrong) {
      setProps(flowviz.pages.shell.NOTICE, { data: { title: "That cannot be shown", text: wrong } });
      return;
    }
    page.change({ prompt: prompt || "" }, true);
  }

  /* Boxes of the dictionary and of the list */
  function factorsChoose(dictionary, corpus, order, level, site, text) {
    const names = ["DICTIONARY", "CORPUS", "ORDER", "LEVEL", "SITE", "TEXT"];
    const held = [dictionary, corpus, order, level, site, text];
    const what = trigger();
    names.forEach((name, i) => (boxes[page.ids()[name]] = held[i]));
    const now = { order, level, site, text: (text || "").trim() };
    if (what === page.ids().DICTIONARY && dictionary !== shownDictionary()) {
      page.change({ ...BARE, dictionary });
    } else if (what === page.ids().CORPUS) {
      if (corpus !== (form.flat.corpus || DEFAULTS.corpus)) page.change({ ...NO_CONTEXT, corpus, page: "" });
    } else if (what !== page.ids().DICTIONARY) {
      const before = bare({ ...form.flat, page: "" });
      const moved = meant({ ...before, ...now }) !== meant(before);
      const elsewhere = (site || "") !== (form.flat.site || "") ? NO_CONTEXT : {};
      if (moved) page.change({ ...now, ...elsewhere, page: "" });
    }
    return keep();
  }
  const shownDictionary = () => (fitted ? fitted.shown[page.ids().DICTIONARY] : form.flat.dictionary);

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { factorsHold, factorsRun, factorsChoose });
})();
