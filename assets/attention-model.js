/* The model view: every head of every layer as a thumbnail, on one canvas. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.attention = flowviz.attention || {});
  const LABEL = 34; // pixels for the layers' names
  const HEADS = 20; // pixels for the heads' numbers above
  const SMALLEST = 16;
  const LARGEST = 132;
  const GAP = 3;
  const MARGINS = 54; // above and below, as in 80-attention.css
  const READABLE = 40;
  const DIGITS = 44; // a thumbnail of this size has room for its score in digits
  const ENLARGED = 232;
  const DRAW_AT_MOST = 3; // the factor by which pixels of a dense screen are drawn
  let view = null; // {packed, levels, found, place, canvas, atlas}

  const sizeOf = (box) => `${box.clientWidth} ${box.clientHeight}`;

  function placing(box, { layers, heads }) {
    const wide = Math.max(240, box.clientWidth - 22);
    const fits = Math.floor((wide - LABEL) / heads) - GAP;
    const high = Math.floor((box.clientHeight - MARGINS - HEADS) / layers) - GAP;
    const whole = high >= READABLE ? Math.min(fits, high) : fits; // all in sight where that can be
    const cell = Math.max(SMALLEST, Math.min(LARGEST, whole));
    const step = cell + GAP;
    return { cell, step, width: LABEL + heads * step, height: HEADS + layers * step };
  }

  const rgb = (name) => {
    const hex = page.colour(name);
    return [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
  };

  /* One picture of all patterns, a pixel a cell: darkness is the root of the value (of a signed one the
     third root, for which 128 is nothing), so that what is weak still shows. */
  function picture({ layers, heads, size, signed }, levels) {
    const atlas = new OffscreenCanvas(heads * size, layers * size);
    const image = new ImageData(heads * size, layers * size);
    const out = new Uint32Array(image.data.buffer);
    const colours = palette(signed);
    let from = 0;
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head < heads; head++) {
        for (let i = 0; i < size; i++) {
          const start = (layer * size + i) * heads * size + head * size;
          for (let j = 0; j < size; j++) out[start + j] = colours[levels[from++]];
        }
      }
    }
    atlas.getContext("2d").putImageData(image, 0, 0);
    return atlas;
  }

  /* The colour of each of 256 levels, as the bytes of a pixel. */
  function palette(signed) {
    const paper = rgb("--paper");
    const [plus, minus] = signed ? [rgb("--for"), rgb("--against")] : [rgb("--accent"), null];
    return Uint32Array.from({ length: 256 }, (_, level) => {
      const value = signed ? Math.max(-1, (level - 128) / 127) : level / 255;
      const ink = value < 0 ? minus : plus;
      const part = Math.abs(value) ** (signed ? 1 / 3 : 1 / 2);
      const [r, g, b] = paper.map((ground, k) => Math.round(ground + (ink[k] - ground) * part));
      return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
    });
  }

  /* Draws all heads into a box; how long that took, in milliseconds. */
  page.drawModel = function (box, packed, found) {
    const start = performance.now();
    const levels = view && view.packed === packed ? view.levels : page.bytes(packed.data);
    const canvas = document.createElement("canvas");
    const place = placing(box, packed);
    view = { size: sizeOf(box), packed, levels, found, place, canvas, atlas: picture(packed, levels) };
    view.at = page.modelAt && inside(page.modelAt) ? page.modelAt : null;
    const dense = Math.min(DRAW_AT_MOST, window.devicePixelRatio || 1);
    Object.assign(canvas, { width: place.width * dense, height: place.height * dense });
    Object.assign(canvas.style, { width: `${place.width}px`, height: `${place.height}px` });
    paint(canvas, dense);
    box.replaceChildren(canvas, frame());
    mark(view.at);
    return performance.now() - start;
  };

  const inside = ({ layer, head }) => layer < view.packed.layers && head < view.packed.heads;
  /* Layers rise, as in the flow. */
  const corner = (layer, head) => [
    LABEL + head * view.place.step,
    HEADS + (view.packed.layers - 1 - layer) * view.place.step,
  ];
  const scoreOf = (layer, head) =>
    view.found ? view.found.values[layer * view.packed.heads + head] : null;

  function paint(canvas, dense) {
    const { packed: { layers, heads, size }, place: { cell }, atlas } = view; // prettier-ignore
    const ctx = canvas.getContext("2d");
    ctx.scale(dense, dense);
    ctx.fillStyle = page.colour("--paper");
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    ctx.imageSmoothingEnabled = cell * dense < size;
    ctx.strokeStyle = page.colour("--line");
    labels(ctx);
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head < heads; head++) {
        const [x, y] = corner(layer, head);
        ctx.drawImage(atlas, head * size, layer * size, size, size, x, y, cell, cell);
        ctx.strokeRect(x - 0.5, y - 0.5, cell + 1, cell + 1);
      }
    }
    if (view.found) scores(ctx);
  }

  function labels(ctx) {
    const { packed: { layers, heads }, place: { step, cell } } = view; // prettier-ignore
    ctx.font = "11px system-ui, sans-serif";
    ctx.fillStyle = page.colour("--soft-ink");
    ctx.textBaseline = "middle";
    ctx.textAlign = "right";
    const high = Math.ceil(13 / step);
    for (let layer = 0; layer < layers; layer += high) {
      ctx.fillText(`L${layer}`, LABEL - 6, corner(layer, 0)[1] + cell / 2);
    }
    ctx.textAlign = "center";
    const wide = Math.ceil(24 / step);
    for (let head = 0; head < heads; head += wide) {
      ctx.fillText(`H${head}`, corner(0, head)[0] + cell / 2, HEADS - 9);
    }
  }

  /* A bar under each thumbnail as long as its score, digits where there is room, and an outline
     around the strongest. */
  function scores(ctx) {
    const { packed: { layers, heads }, place: { cell } } = view; // prettier-ignore
    const strongest = new Set(view.found.strongest.map(([layer, head]) => layer * heads + head));
    const ink = page.colour("--found");
    ctx.font = "600 11px system-ui, sans-serif";
    ctx.textAlign = "right";
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head < heads; head++) {
        const score = scoreOf(layer, head);
        if (!Number.isFinite(score)) continue;
        const [x, y] = corner(layer, head);
        ctx.fillStyle = ink;
        ctx.fillRect(x, y + cell - 3, cell * Math.max(0, Math.min(1, score)), 3);
        if (cell >= DIGITS) digits(ctx, score, x + cell, y);
        if (!strongest.has(layer * heads + head)) continue;
        ctx.lineWidth = 2.5;
        ctx.strokeStyle = ink;
        ctx.strokeRect(x - 0.5, y - 0.5, cell + 1, cell + 1);
      }
    }
  }

  function digits(ctx, score, right, top) {
    ctx.fillStyle = page.colour("--paper");
    ctx.fillRect(right - 28, top, 28, 14);
    ctx.fillStyle = page.colour("--ink");
    ctx.fillText(score.toFixed(2), right - 2, top + 8);
  }

  /* The frame around the head that is pointed at, or chosen with the arrows. */
  function frame() {
    const box = document.createElement("div");
    box.className = "head-frame";
    return box;
  }

  function mark(at) {
    view.at = page.modelAt = at;
    const box = view.canvas.nextElementSibling;
    box.hidden = !at;
    if (!at) return;
    const [x, y] = corner(at.layer, at.head);
    Object.assign(box.style, {
      transform: `translate(${x - 3}px, ${y - 3}px)`,
      width: `${view.place.cell + 6}px`,
      height: `${view.place.cell + 6}px`,
    });
  }

  /* The head at a place of the window, or null. */
  page.headAt = function (event) {
    if (!view || !view.canvas.isConnected) return null;
    const edge = view.canvas.getBoundingClientRect();
    const { step } = view.place;
    const head = Math.floor((event.clientX - edge.left - LABEL) / step);
    const row = Math.floor((event.clientY - edge.top - HEADS) / step);
    const at = { layer: view.packed.layers - 1 - row, head };
    return head >= 0 && row >= 0 && at.layer >= 0 && inside(at) ? at : null;
  };

  page.headWords = function ({ layer, head }) {
    const score = scoreOf(layer, head);
    const said = Number.isFinite(score) ? `  ${view.found.name} ${score.toFixed(2)}` : "";
    return `L${layer} H${head}${said}`;
  };

  /* The enlarged head with its numbers, beside the pointer. */
  page.enlarge = function (at, x, y) {
    const lens = document.getElementById(page.ids().LENS);
    mark(at);
    lens.hidden = !at;
    if (!at) return;
    const { size } = view.packed;
    const picture = document.createElement("canvas");
    Object.assign(picture, { width: ENLARGED, height: ENLARGED });
    const ctx = picture.getContext("2d");
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(view.atlas, at.head * size, at.layer * size, size, size, 0, 0, ENLARGED, ENLARGED);
    lens.replaceChildren(picture, ...words(at));
    const { width, height } = lens.getBoundingClientRect();
    const left = x + 18 + width > innerWidth ? x - 18 - width : x + 18;
    const top = Math.min(y + 12, innerHeight - height - 6);
    Object.assign(lens.style, { left: `${Math.max(4, left)}px`, top: `${Math.max(4, top)}px` });
  };

  function words(at) {
    const known = view.packed.kinds || [];
    const place = at.layer * view.packed.heads + at.head;
    const lines = known.map(({ name, scores }) => [name, scores[place]]);
    lines.sort((a, b) => (b[1] || 0) - (a[1] || 0));
    const said = lines
      .filter(([, score]) => Number.isFinite(score))
      .map(([name, score]) => `${name} ${score.toFixed(2)}`);
    return [`L${at.layer} H${at.head}`, ...said, "Click to open it"].map((text, i) => {
      const line = document.createElement(i ? "span" : "strong");
      line.textContent = text;
      return line;
    });
  }

  /* The arrows: from head to head. */
  page.walkModel = function ([right, down]) {
    if (!view || !view.canvas.isConnected) return;
    const at = view.at || { layer: view.packed.layers - 1, head: -right };
    const next = { layer: at.layer - down, head: at.head + right };
    const clamp = (value, most) => Math.max(0, Math.min(most - 1, value));
    next.layer = clamp(next.layer, view.packed.layers);
    next.head = clamp(next.head, view.packed.heads);
    const [x, y] = corner(next.layer, next.head);
    const edge = view.canvas.getBoundingClientRect();
    page.enlarge(next, edge.left + x + view.place.cell, edge.top + y);
    return next;
  };

  page.modelFits = (box) => view && view.size === sizeOf(box);
  page.modelCanvas = () => view && view.canvas;
  page.unpackModel = function (packed) {
    const kinds = (packed.kinds || []).map((kind) => ({ ...kind, scores: page.floats(kind.data) }));
    return { ...packed, kinds };
  };
})();
