/* Pointing at the head view: which token or line is meant, by the pointer and by the arrows. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.attention = flowviz.attention || {});
  const NEAR = 4; // pixels between the pointer and a line

  const drawn = () => {
    const view = page.drawnHeads();
    return view && view.svg.isConnected ? view : null;
  };

  /* The line under the pointer: the nearest, of near ones the strongest. */
  function lineAt(view, event) {
    const frame = view.svg.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    const { left, right } = view.box;
    if (x <= left || x >= right) return null;
    const across = (x - left) / (right - left);
    const token = page.inSight();
    let best = null;
    for (const line of view.found.lines) {
      if (!page.levelOf(line) || (token && !page.touches(line, token))) continue;
      const [from, to] = page.lineEnds(line);
      const off = Math.abs(from + (to - from) * across - y);
      if (off <= NEAR && (!best || line.share > best.share)) best = line;
    }
    return best;
  }

  function tokenOf(view, target) {
    const group = target.closest && target.closest(".token");
    return group && view.svg.contains(group)
      ? { side: group.dataset.side, place: Number(group.dataset.place) }
      : null;
  }

  const same = (a, b) => Boolean(a && b) && a.side === b.side && a.place === b.place;
  const stored = (view, { side, place }) => {
    const position = page.rowsOf(view.layer, side)[place];
    return position < 0 ? null : { side, position };
  };

  page.pointHeads = function (event) {
    const view = drawn();
    if (!view) return;
    const token = tokenOf(view, event.target);
    if (token ? !same(token, view.pointed) : view.pointed) {
      view.pointed = token;
      page.light();
    }
    const line = token ? null : lineAt(view, event);
    if (!token && !line) return flowviz.hideTooltip();
    const tip = token ? page.tokenTip(view, token) : page.lineTip(view, line);
    flowviz.showTooltip(tip, event.clientX, event.clientY);
  };

  page.leaveHeads = function () {
    const view = drawn();
    flowviz.hideTooltip();
    if (!view || !view.pointed) return;
    view.pointed = null;
    page.light();
  };

  /* The token that a click is on, as a store holds it; null for none, or for the pinned one. */
  page.clickedToken = function (event) {
    const view = drawn();
    if (!view) return null;
    const line = () => {
      const near = lineAt(view, event);
      return near && { side: "query", place: near.i };
    };
    const token = tokenOf(view, event.target) || line();
    return token && !same(token, view.pinned) ? stored(view, token) : null;
  };

  /* The token under the pointer, pinned or not, as a store holds it; null for none. */
  page.tokenAt = function (event) {
    const view = drawn();
    const token = view && tokenOf(view, event.target);
    return token ? stored(view, token) : null;
  };

  /* The token that is `by` rows on from the pinned one, or on the other side. */
  page.nextToken = function (by, across) {
    const view = drawn();
    if (!view) return null;
    const { layer, pinned } = view;
    const here = pinned || { side: "query", place: by > 0 ? -1 : layer.count.queries };
    const side = across ? (across < 0 ? "query" : "source") : here.side;
    const rows = page.rowsOf(layer, side);
    const position = pinned ? page.rowsOf(layer, here.side)[here.place] : null;
    const wanted = across && pinned ? rows.indexOf(position) : here.place + by;
    return steps(wanted, by || 1, rows.length)
      .map((place) => stored(view, { side, place }))
      .find(Boolean) || null; // prettier-ignore
  };

  /* Places from one on, for rows of several tokens cannot be pinned; at the end, back. */
  function steps(from, by, count) {
    const start = Math.max(0, Math.min(count - 1, from));
    const ahead = [...Array(count).keys()].map((k) => start + k * Math.sign(by));
    return ahead.filter((place) => place >= 0 && place < count);
  }
})();
