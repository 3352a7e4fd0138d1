/* The attention page: from its stores to both views, and to the address. The drawing itself knows
   nothing of the page (attention-head.js, attention-model.js); what pointer and keys do is in
   attention-act.js. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.attention = flowviz.attention || {});
  const ids = () => (flowviz.pages ? flowviz.pages.attention : {}); // names.js comes later
  page.ids = ids;
  const MARGIN = 30; // pixels between a pinned token and the edge of what is in sight
  const STEP = 48; // as in flowviz/views/attention/window.py
  const DEFAULTS = { view: "heads", mass: 0.9, pairs: "all", merge: "each", kind: "previous",
    over: "prompt" }; // prettier-ignore
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const keep = () => window.dash_clientside.no_update;
  const trigger = () => window.dash_clientside.callback_context.triggered_id || "";
  const byId = (id) => document.getElementById(id);
  const here = () => byId(ids().HEAD_VIEW);
  let layer = null; // the layer that is drawn, unpacked
  let packed = null; // what it was unpacked from
  let model = null; // the same of all thumbnails
  let packedModel = null;
  let chosen = null; // the chosen heads as the store holds them: null for all
  let settings = {};
  let scores = null;
  let seen = null; // the token that was pinned at the last drawing
  let held = false; // whether it is in sight
  let watched = null; // the box that it is in
  let high = 0; // how high that was then

  /* Run, another model, an example → asked, prompt, second text, model, target, contrast, the
     target's position, the window's beginning, mask, part. Where nothing is drawn, a link's mask
     and part may be why: Run goes on without them. */
  function askAttention(run, name, picks, prompt, second, asked, examples, shown) {
    const question = flowviz.question(name, picks, prompt, asked, examples);
    if (!question) return Array(10).fill(keep());
    const { next, picked, otherModel } = question;
    next.second = (picked ? picked.second : second) || "";
    const other = question.other || !asked || (asked.second || "") !== next.second;
    const from = (what) => (picked ? picked[what] : keep());
    if (picked && picked.layer !== undefined) {
      setProps(ids().LAYER, { value: picked.layer });
      setProps(ids().HEADS, { data: picked.heads });
    }
    return [
      next, from("prompt"), picked ? next.second : keep(), from("model"), from("target"),
      from("contrast"), other || picked ? null : keep(), other || otherModel ? null : keep(),
      picked ? picked.mask || [] : other || otherModel || !shown ? [] : keep(),
      picked ? picked.part || null : otherModel || !shown ? null : keep(),
    ]; // prettier-ignore
  }

  /* The two texts change places, and nothing else; then they are run. */
  function attentionSwap(clicks, prompt, second) {
    if (!clicks || !second) return [keep(), keep()];
    setTimeout(() => byId(ids().RUN).click()); // after Dash has both texts
    return [second, prompt];
  }

  const headsOf = () =>
    layer ? [...Array(layer.heads).keys()].filter((head) => !chosen || chosen.includes(head)) : [];

  /* A layer, chosen heads, settings → how much is hidden, what is pinned, which layer it is; draws
     the head view */
  function attentionHeads(data, heads, mass, hide, textOnly, pairs, merge, token) {
    if (!data) return [keep(), keep(), keep()];
    if (packed !== data) layer = page.unpack(data);
    packed = data;
    chosen = heads;
    settings = { mass, hide, textOnly, pairs, merge, token };
    const box = byId(ids().SQUARES);
    if (box) page.drawSquares(box, layer, headsOf());
    drawHeads();
    return [hiddenWords(), page.spoken(), `${layer.layer} of 0 to ${layer.layers - 1}`];
  }

  function drawHeads() {
    const box = here();
    if (!box || !layer || !box.clientWidth) return;
    const took = page.drawHeads(box, layer, headsOf(), settings);
    const { mass, pairs, merge, textOnly, hide } = settings;
    const how = [mass, pairs, merge, textOnly ? "text" : "", hide ? "hide" : ""].join("-");
    bring(box, settings.token);
    box.dataset.took = took.toFixed(1);
    box.dataset.drawn = `${layer.layer}-${layer.weighting}-${headsOf()}-${how}`;
    box.closest(".canvas").classList.add("filled");
    box.classList.toggle("none", !headsOf().length);
  }

  /* The box is scrolled to the pinned token, where it is another than before. */
  function bring(box, token) {
    const same = seen && token && seen.side === token.side && seen.position === token.position;
    seen = token;
    if (!same) intoSight(box);
    if (watched === box) return;
    watched = box;
    shape.disconnect();
    shape.observe(box);
    box.addEventListener("scroll", () => {
      // of a box that has just become smaller, nobody has scrolled the token out yet
      if (box.clientHeight === high) held = isInSight(box);
    }, { passive: true }); // prettier-ignore
  }

  /* Where the box becomes smaller, the pinned token stays in sight, if it was. */
  const shape = new ResizeObserver(([{ target }]) => {
    if (held) intoSight(target);
    high = target.clientHeight;
  });

  /* Where the pinned token and the box are on screen; null where none is pinned. */
  function frames(box) {
    const row = box.querySelector(".pinned");
    return row && [row, box].map((each) => each.getBoundingClientRect());
  }

  function intoSight(box) {
    const [at, frame] = frames(box) || [];
    held = Boolean(at);
    high = box.clientHeight;
    if (!held) return;
    if (at.top < frame.top + MARGIN) box.scrollTop -= frame.top + MARGIN - at.top;
    if (at.bottom > frame.bottom - MARGIN) box.scrollTop += at.bottom - frame.bottom + MARGIN;
  }

  function isInSight(box) {
    const [at, frame] = frames(box) || [];
    return Boolean(at) && at.bottom > frame.top && at.top < frame.bottom;
  }

  function hiddenWords() {
    const view = page.drawnHeads();
    if (!view || !view.hidden.sources.some(Boolean)) return "";
    const percent = Math.round(100 * view.found.hiddenShare);
    return `${percent}% of ${layer.signed ? "the absolute flow" : "what these heads read"} is hidden.`;
  }

  const choose = (heads) => {
    const all = layer && heads && heads.length === layer.heads;
    setProps(ids().HEADS, { data: all ? null : heads });
  };

  function attentionEvery(clicks) {
    if (clicks && layer) choose(headsOf().length === layer.heads ? [] : null);
    return keep();
  }

  /* A token of the strip is pinned on the reading side. */
  function attentionPin(position) {
    if (position === null || position === undefined) return keep();
    setProps(ids().SELECTED, { data: { side: "query", position } });
    const inSight = layer && layer.queries.includes(position);
    if (!inSight) setProps(ids().START, { data: Math.max(0, position - 16) });
    return keep();
  }

  function attentionWindow() {
    if (!layer || !trigger()) return keep();
    const by = trigger().endsWith("later") ? STEP : -STEP;
    setProps(ids().START, { data: Math.max(0, Math.min(layer.last, layer.start + by)) });
    return keep();
  }

  /* Thumbnails and scores → the enlarged head hidden; draws the model view */
  function attentionModel(data, found) {
    if (packedModel !== data) model = data ? page.unpackModel(data) : null;
    packedModel = data;
    scores = found ? { ...found, values: page.floats(found.data) } : null;
    drawModel();
    return true;
  }

  function drawModel() {
    const box = byId(ids().MODEL_VIEW);
    if (!box || !model || !box.clientWidth) return;
    const fits = scores && scores.values.length === model.layers * model.heads;
    const took = page.drawModel(box, model, fits ? scores : null);
    box.dataset.took = took.toFixed(1);
    box.dataset.drawn = `${model.layers}x${model.heads}-${fits ? scores.name : ""}`;
    box.closest(".canvas").classList.add("filled");
  }

  /* Which view is open, what the model is → the root's class */
  function attentionView(view, shown, traits, over) {
    flowviz.hideTooltip();
    byId(ids().LENS).hidden = true;
    setTimeout(() => (view === "model" ? drawModel() : drawHeads()));
    const has = traits ? traits.has.map((name) => `has-${name}`) : [];
    if (over && over !== DEFAULTS.over) has.push("has-set");
    return ["workbench attention-page", `is-${view}`, ...has].join(" ");
  }

  /* The address says what is drawn; what has its default is left out. */
  function attentionSync(shown, view, level, heads, mass, hide, textOnly, pairs, merge, token, start,
    kind, over) { // prettier-ignore
    if (!shown) return keep();
    const given = { view, layer: level, mass, pairs, merge, kind, over,
      heads: heads ? heads.join(",") || "none" : "", hide: hide ? 1 : "",
      textonly: textOnly ? 1 : "", at: token ? `${token.side}:${token.position}` : "" }; // prettier-ignore
    if (shown.average === over) given.over = ""; // the request names it
    const said = Object.entries(given).filter(([name, value]) => value && value !== DEFAULTS[name]);
    const more = Object.fromEntries(said);
    if (start !== null && start !== undefined) more.start = start;
    flowviz.address(shown, more, `Attention: ${shown.prompt.trim().slice(0, 50)}`);
    return keep();
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, {
    askAttention, attentionSwap, attentionHeads, attentionEvery, attentionPin, attentionWindow,
    attentionModel, attentionView, attentionSync,
  });

  Object.assign(page, { headsOf, choose, shownLayer: () => layer });

  new ResizeObserver(() => {
    if (!here()) return;
    const view = page.drawnHeads();
    if (view && here().clientWidth && view.width !== here().clientWidth) drawHeads();
    const canvas = page.modelCanvas();
    const box = byId(ids().MODEL_VIEW);
    if (canvas && box.clientWidth && !page.modelFits(box)) drawModel();
  }).observe(document.documentElement);
})();
