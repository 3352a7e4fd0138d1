/* The page of one head: what is asked for, which head and tokens, the picture, the address. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.head = flowviz.head || {});
  const ids = () => (flowviz.pages ? flowviz.pages.head : {}); // names.js comes later
  const STEP = 48; // sources from one window to the next: they overlap
  const PADDING = 20; // of the picture's box, both sides, as in 85-head.css
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const keep = () => window.dash_clientside.no_update;
  const byId = (id) => document.getElementById(id);
  const here = () => byId(ids().PICTURE);
  let packed = null; // what came from the server
  let data = null; // the same, unpacked
  let state = {}; // {dims, dim, key, colours, place} of what is drawn
  let sizes = null; // {layers, heads}
  let chosen = { layer: 0, head: 0 };

  const view = () => data && page.views[data.view];

  /* Run, another model, an example, the second text left out → asked, prompt, model, layer, head,
     query, key, start, view, over, order of dimensions, what is passed on */
  function askHead(run, name, picks, leave, prompt, asked, examples, passed) {
    const none = Array(12).fill(keep());
    const trigger = window.dash_clientside.callback_context.triggered_id;
    if (typeof trigger === "string" && trigger.endsWith("leave-out")) return left(none, leave, asked);
    const question = flowviz.question(name, picks, prompt, asked, examples);
    if (!question) return none;
    const { next, picked, other, otherModel } = question;
    if (picked) return example(next, picked);
    const moved = other || otherModel ? null : keep();
    const model = otherModel ? 0 : keep();
    const bare = other || otherModel ? { ...(passed || {}), mask: "" } : keep();
    return [next, keep(), keep(), model, model, moved, moved, moved, keep(), keep(), keep(), bare];
  }

  function example(next, link) {
    const number = (value) => (value === undefined ? null : Number(value));
    return [
      next, link.prompt, link.model, number(link.layer) || 0, number(link.head) || 0,
      number(link.query), number(link.key), null, link.view, link.over || "prompt",
      link.dims || "number", { second: "", mask: "" },
    ]; // prettier-ignore
  }

  function left(none, clicks, asked) {
    if (!clicks) return none;
    document.querySelector(".head-page .second-text").hidden = true;
    const next = asked ? { ...asked, count: asked.count + 1 } : keep();
    return [next, ...none.slice(1, 5), null, null, null, ...none.slice(8, 11), { second: "", mask: "" }];
  }

  const looksBack = () => data && data.view === "why" && data.count === data.query + 1;

  /* Another token looks → what it looks at, where that stands behind it; the window */
  const headMoved = (query, key) => [
    looksBack() && query !== null && key !== null && key > query ? null : keep(),
    null,
  ];

  /* Another order of the sources → where its window begins */
  const headOrder = () => null;

  /* ---- the picture ---- */

  /* The answer, packed; the order of dimensions; what is marked → what is marked, in words */
  function headDraw(given, dims, dim, key) {
    if (!given) {
      data = packed = null;
      if (here()) here().replaceChildren();
      return keep();
    }
    if (packed !== given) data = page.views[given.view].unpack(given);
    packed = given;
    state = { dims, dim, key: key ?? null };
    draw();
    return view().spoken(data, state);
  }

  function draw() {
    const box = here();
    if (!box || !data || !box.clientWidth) return;
    const start = performance.now();
    state.colours = page.inks();
    state.size = sizeOf(box);
    watch(box);
    const wide = Math.max(300, box.clientWidth - PADDING);
    state.place = view().layout(data, wide, box.clientHeight - PADDING);
    const ink = page.onCanvas(state.place.width, state.place.height);
    view().paint(ink, data, state.place, state);
    const frame = document.createElement("div");
    frame.className = "head-frame";
    frame.hidden = true;
    const sheet = document.createElement("div");
    sheet.className = "sheet";
    sheet.append(ink.element, frame);
    box.replaceChildren(sheet);
    box.dataset.took = (performance.now() - start).toFixed(1);
    box.dataset.drawn = `${data.view}-${data.name}-${data.query ?? ""}-${state.dims}-${data.start ?? ""}`;
    box.closest(".canvas").classList.add("filled");
  }
  page.draw = function (given, dims) {
    headDraw(given, dims, null, null); // benchmarks ask for it
    return here().querySelector("canvas");
  };

  /* Which layers and heads there are, and which one is chosen → words, the last layer */
  function headSquares(given, head, layer) {
    chosen = { layer: layer || 0, head: head || 0 };
    sizes = given || sizes;
    if (!given) return [keep(), keep()];
    const box = byId(ids().SQUARES);
    const focused = box.contains(document.activeElement);
    const buttons = [...Array(given.heads).keys()].map((each) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.one = each;
      button.textContent = each;
      button.title = `L${chosen.layer} H${each}`;
      button.setAttribute("role", "radio");
      button.setAttribute("aria-label", `Head ${each}`);
      button.setAttribute("aria-checked", String(each === chosen.head));
      return button;
    });
    box.replaceChildren(...buttons);
    if (focused && buttons[chosen.head]) buttons[chosen.head].focus();
    return [`${chosen.layer} of 0 to ${given.layers - 1}`, Math.max(1, given.layers - 1)];
  }

  /* Which view is open → the root's class */
  function headView(open, over) {
    flowviz.hideTooltip();
    return `workbench head-page is-${open} over-${over}`;
  }

  function headWindow() {
    const trigger = window.dash_clientside.callback_context.triggered_id || "";
    if (!data || data.view !== "neurons" || !trigger) return keep();
    const by = trigger.endsWith("later") ? STEP : -STEP;
    const last = data.count - data.tokens.length;
    setProps(ids().START, { data: Math.max(0, Math.min(last, data.start + by)) });
    return keep();
  }

  /* The address says what is drawn; what has its default is left out. */
  function headSync(shown, dims, order, start, dim, key) {
    if (!shown) return keep();
    const given = {
      dims: dims === "number" ? "" : dims,
      order: order === "position" ? "" : order,
      start: start ?? "",
      dim: dim ?? "",
      key: key ?? "",
    };
    const more = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
    const name = `L${shown.layer || 0} H${shown.head || 0}: ${shown.prompt.trim().slice(0, 50)}`;
    flowviz.address(shown, more, name);
    return keep();
  }

  /* The picture as a file: PNG at the screen's density, or SVG. */
  function headImage(png, svg) {
    if (!data || !(png || svg)) return keep();
    const trigger = window.dash_clientside.callback_context.triggered_id || "";
    const name = `head-${data.view}`;
    if (trigger.endsWith("svg")) {
      const ink = page.onSvg(state.place.width, state.place.height);
      view().paint(ink, data, state.place, state);
      save(new Blob([ink.file], { type: "image/svg+xml" }), `${name}.svg`);
    } else {
      here().querySelector("canvas").toBlob((blob) => save(blob, `${name}.png`));
    }
    return keep();
  }

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, {
    askHead, headMoved, headOrder, headDraw, headSquares, headView, headWindow, headSync, headImage,
  });

  /* ---- pointer ---- */

  /* What is drawn at a place of the picture, or null. */
  page.targetAt = (x, y) => data && view().hit(data, state.place, x, y, state);

  function under(event) {
    const canvas = here() && here().querySelector("canvas");
    if (!canvas || event.target !== canvas) return null;
    const edge = canvas.getBoundingClientRect();
    return page.targetAt(event.clientX - edge.left, event.clientY - edge.top);
  }

  function point(target) {
    const frame = here() && here().querySelector(".head-frame");
    if (!frame) return;
    frame.hidden = !target;
    if (!target) return;
    const [x, y, width, height] = view().frame(data, state.place, target);
    Object.assign(frame.style, {
      transform: `translate(${x}px, ${y}px)`, width: `${width}px`, height: `${height}px`,
    }); // prettier-ignore
  }

  let over = false; // whether the tooltip is this page's
  document.addEventListener("mousemove", (event) => {
    if (!here()) return;
    const target = under(event);
    point(target);
    if (target) flowviz.showTooltip(view().tip(data, target, state), event.clientX, event.clientY);
    else if (over) flowviz.hideTooltip();
    over = Boolean(target);
  });

  function act({ key, dim, part }) {
    if (key !== undefined) setProps(ids().EXPLAINED, { data: key });
    if (dim !== undefined && dim !== null) {
      setProps(ids().SELECTED, { data: dim === state.dim ? null : dim });
    }
    if (!part) return;
    const tables = byId(ids().DETAIL).querySelectorAll("table");
    const link = tables[part.side].querySelector(`[data-part="${part.place}"] a`);
    if (link) link.click();
  }

  document.addEventListener("click", (event) => {
    if (!here() || !event.target.closest) return;
    const target = under(event);
    if (target) act(view().click(data, target, state));
    const square = event.target.closest("[data-one]");
    if (square) setProps(ids().HEAD, { data: Number(square.dataset.one) });
    const row = event.target.closest(`#${ids().DETAIL} [data-dim]`);
    if (row) act({ dim: Number(row.dataset.dim) });
    const key = event.target.closest(`#${ids().DETAIL} [data-key]`);
    if (key) act({ key: Number(key.dataset.key) });
  });

  const sizeOf = (box) => `${box.clientWidth} ${box.clientHeight}`;
  page.settled = () => Boolean(data && here() && state.size === sizeOf(here()));
  let watched = null;
  const watcher = new ResizeObserver(() => {
    if (here() && here().clientWidth && state.size !== sizeOf(here())) requestAnimationFrame(draw);
  });
  function watch(box) {
    if (watched === box) return;
    watcher.disconnect();
    watcher.observe(box);
    watched = box;
  }

  /* ---- keyboard ---- */

  const STEPS = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 };
  const FIELDS =
    "input:not([type=radio], [type=checkbox]), textarea, select, [role=menu], [role=listbox], " +
    "[role=dialog], [role=slider]";
  const clamp = (value, last) => Math.max(0, Math.min(last, value));

  function stepLayer(by) {
    if (sizes) setProps(ids().LAYER, { value: clamp(chosen.layer + by, sizes.layers - 1) });
  }
  function stepHead(by) {
    if (sizes) setProps(ids().HEAD, { data: clamp(chosen.head + by, sizes.heads - 1) });
  }

  /* The token that looks, or with Shift the one that is looked at, a step on. */
  function step(by, ofKey) {
    if (!data || data.query === undefined) return;
    const tokens = document.querySelectorAll(`#${ids().TOKENS} .chip.token`).length;
    if (!ofKey) {
      setProps(ids().POSITION, { data: clamp(data.query + by, tokens - 1) });
      return;
    }
    const now = data.view === "why" ? data.key : (state.key ?? data.most);
    const key = clamp(now + by, data.count - 1);
    setProps(ids().EXPLAINED, { data: key });
    const gone = data.view === "neurons" && !data.positions.includes(key);
    if (gone) setProps(ids().START, { data: Math.max(0, key - 16) });
  }

  const KEYS = {
    "[": () => stepLayer(-1),
    "]": () => stepLayer(1),
    ",": () => stepHead(-1),
    ".": () => stepHead(1),
    "?": () => setProps(flowviz.pages.shell.HELP, { opened: true }),
    "/": () => byId(ids().PROMPT).focus(),
    Escape: () => {
      setProps(ids().SELECTED, { data: null });
      setProps(ids().EXPLAINED, { data: null });
    },
  };

  const inPicture = (target) => target === document.body || here().contains(target);

  document.addEventListener("keydown", (event) => {
    if (!here() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest && event.target.closest(FIELDS)) return;
    if (STEPS[event.key] && inPicture(event.target)) {
      event.preventDefault();
      step(STEPS[event.key], event.shiftKey);
    } else if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });
})();
