/* What pointer and keys do on the attention page: heads, tokens, masks, layers, parts. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.attention = flowviz.attention || {});
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const keep = () => window.dash_clientside.no_update;
  const byId = (id) => document.getElementById(id);
  const ids = () => page.ids();
  const here = () => flowviz.pages && byId(ids().HEAD_VIEW);
  const within = (event, id) => event.target.closest && event.target.closest(`#${id}`);
  const PAIRS = ["all", "aa", "ab", "ba", "bb"];
  const LONGEST = 24;
  let masks = { offered: false, hidden: [], special: [], words: [] }; // of what is drawn
  let pinned = null;

  /* ---- heads ---- */

  function toggle(head) {
    const on = new Set(page.headsOf());
    on.has(head) ? on.delete(head) : on.add(head);
    page.choose([...on].sort((a, b) => a - b));
  }

  /* Opens a head alone in the head view. */
  page.openHead = function (at) {
    setProps(ids().LAYER, { value: at.layer });
    setProps(ids().HEADS, { data: [at.head] });
    setProps(ids().VIEW, { value: "heads" });
  };

  /* ---- masks ---- */

  const canMask = (at) =>
    masks.offered && at !== null && at !== undefined && at < masks.words.length && !masks.special.includes(at);
  const isMasked = (at) => masks.hidden.includes(at);

  function toggleMask(at) {
    if (!canMask(at)) return;
    const next = isMasked(at) ? masks.hidden.filter((one) => one !== at) : [...masks.hidden, at];
    setProps(ids().MASK, { data: next.sort((a, b) => a - b) });
  }

  /* What can be masked, what is, the pinned token → the button's words, whether it is off, whether
     that for all is hidden */
  function attentionMasks(traits, hidden, token) {
    pinned = token ? token.position : null;
    masks = { ...masks, ...(traits ? traits.masks : {}), hidden: hidden || [] };
    const one = canMask(pinned);
    const word = one && page.cut(masks.words[pinned], LONGEST);
    const words = one ? `${isMasked(pinned) ? "Unmask" : "Mask"} ${pinned} ${word}` : "Mask a token";
    return [words, !one, !masks.hidden.length];
  }

  function attentionMask(one, every) {
    const trigger = window.dash_clientside.callback_context.triggered_id || "";
    if (trigger === ids().MASK_ONE && one) toggleMask(pinned);
    if (trigger === ids().UNMASK && every) setProps(ids().MASK, { data: [] });
    return keep();
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { attentionMasks, attentionMask });

  /* ---- pointer ---- */

  document.addEventListener("mousemove", (event) => {
    if (!here()) return;
    if (within(event, ids().HEAD_VIEW)) page.pointHeads(event);
    else page.leaveHeads();
    const at = within(event, ids().MODEL_VIEW) ? page.headAt(event) : null;
    if (at || !byId(ids().LENS).hidden) page.enlarge(at, event.clientX, event.clientY);
  });

  document.addEventListener("click", (event) => {
    if (!here() || !event.target.closest) return;
    const square = event.target.closest("[data-square]");
    const row = event.target.closest(`#${ids().FOUND} [data-layer]`);
    const part = event.target.closest("[data-part]");
    const reading = event.target.closest("[data-reading]");
    if (square) toggle(Number(square.dataset.square));
    if (row) page.openHead({ layer: Number(row.dataset.layer), head: Number(row.dataset.head) });
    if (part) setProps(ids().PART, { data: part.dataset.part });
    if (reading) pin(Number(reading.dataset.reading));
    if (within(event, ids().HEAD_VIEW)) setProps(ids().SELECTED, { data: page.clickedToken(event) });
    const at = within(event, ids().MODEL_VIEW) && page.headAt(event);
    if (at) page.openHead(at);
  });

  const pin = (position) => setProps(ids().SELECTED, { data: { side: "query", position } });

  const chipAt = (target) => {
    const chip = target.closest && target.closest(`#${ids().TOKENS} [data-position]`);
    return chip ? Number(chip.dataset.position) : null;
  };

  document.addEventListener("dblclick", (event) => {
    if (!here() || !event.target.closest) return;
    const square = event.target.closest("[data-square]");
    if (square) page.choose([Number(square.dataset.square)]);
    const token = within(event, ids().HEAD_VIEW) ? page.tokenAt(event) : null;
    const at = token ? token.position : chipAt(event.target);
    if (!canMask(at)) return;
    toggleMask(at);
    if (token) setProps(ids().SELECTED, { data: token }); // the second click took the pin away
  });

  /* ---- keyboard ---- */

  const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  const FIELDS =
    "input:not([type=radio], [type=checkbox]), textarea, select, [role=menu], [role=listbox], " +
    "[role=dialog], [role=slider]";

  const step = (by) => {
    const layer = page.shownLayer();
    if (!layer) return;
    setProps(ids().LAYER, { value: Math.max(0, Math.min(layer.layers - 1, layer.layer + by)) });
  };

  function nextPairs() {
    const view = page.drawnHeads();
    if (!view || !view.layer.pairs) return;
    const next = PAIRS[(PAIRS.indexOf(view.settings.pairs) + 1) % PAIRS.length];
    setProps(ids().PAIRS, { value: next });
  }

  const KEYS = {
    "[": () => step(-1),
    "]": () => step(1),
    "?": () => setProps(flowviz.pages.shell.HELP, { opened: true }),
    "/": () => byId(ids().PROMPT).focus(),
    b: nextPairs,
    m: (event) => toggleMask(chipAt(event.target) ?? pinned),
    x: () => byId(ids().SWAP).click(),
    Escape: () => setProps(ids().SELECTED, { data: null }),
  };

  function arrows(event, [right, down]) {
    if (within(event, ids().MODEL_VIEW)) {
      const at = page.walkModel([right, down]);
      if (at) setProps(ids().SPOKEN, { children: page.headWords(at) });
      return true;
    }
    if (!within(event, ids().HEAD_VIEW)) return false;
    const token = page.nextToken(down, right);
    if (token) setProps(ids().SELECTED, { data: token });
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (!here() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Enter" && event.target.id === ids().SECOND && !event.shiftKey) {
      event.preventDefault();
      setTimeout(() => byId(ids().RUN).click()); // after Dash has the text
    }
    if (event.target.closest && event.target.closest(FIELDS)) return;
    const square = event.target.dataset && event.target.dataset.square;
    if (event.key === "Enter" && event.shiftKey && square !== undefined) {
      event.preventDefault();
      page.choose([Number(square)]);
    } else if (event.key === "Enter" && within(event, ids().MODEL_VIEW) && page.modelAt) {
      page.openHead(page.modelAt);
    } else if (ARROWS[event.key]) {
      if (arrows(event, ARROWS[event.key])) event.preventDefault();
    } else if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key](event);
    }
  });
})();
