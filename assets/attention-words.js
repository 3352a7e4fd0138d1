/* What the head view says in words: tooltips, and the pinned token for who does not see it. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.attention = flowviz.attention || {});
  const MOST_LINES = 8;
  const MOST_HEADS = 14;
  const MOST_TOTALS = 6;

  const name = (view, side, place) => page.rowName(view.layer, side, place);
  page.headName = function (head) {
    const { shown, layer } = page.drawnHeads();
    if (shown.merged) return `${shown.merged} of ${shown.of} head${shown.of === 1 ? "" : "s"}`;
    return `L${layer.layer} H${head}`;
  };
  const headOf = (view, head) => `L${view.layer.layer} H${head}`;

  /* A number of a row as words: a share of its row; of the flow in logits, of a sum the sum. */
  function said(view, line) {
    const words = page.written(line.value, line.share, view.layer.weighting);
    return view.shown.merged === "sum" && !view.layer.signed
      ? `${line.value.toFixed(2)} (${words} of it all)`
      : words;
  }

  /* What a row of norms was divided by; empty for other weightings. */
  function total({ layer }, head, i) {
    if (!layer.totals) return "";
    return `total ‖·‖ ${layer.totals[head * layer.count.queries + i].toPrecision(3)}`;
  }

  /* Of a token: its strongest lines, or its heads where one of the other column is pinned. */
  page.tokenTip = function (view, token) {
    if (view.pinned && view.pinned.side !== token.side) return pairTip(view, token);
    const query = token.side === "query";
    const own = view.found.lines.filter((line) => page.touches(line, token));
    own.sort((a, b) => b.share - a.share);
    const lines = own.slice(0, MOST_LINES).map((line) => {
      const other = query ? name(view, "source", line.j) : name(view, "query", line.i);
      return `${page.headName(line.head)}  ${other}  ${said(view, line)}`;
    });
    const more = own.length - lines.length;
    return [
      `${name(view, token.side, token.place)} ${query ? "reads" : "is read by"}`,
      ...lines,
      ...(more > 0 ? [`and ${more} more line${more === 1 ? "" : "s"}`] : []),
      ...(query && view.layer.totals ? totals(view, token.place) : []),
    ];
  };

  function totals(view, i) {
    const { layer, heads } = view;
    const each = heads.map((head) => [layer.totals[head * layer.count.queries + i], head]);
    each.sort((a, b) => b[0] - a[0]);
    const shown = each.slice(0, MOST_TOTALS);
    const words = shown.map(([size, head]) => `H${head} ${size.toPrecision(3)}`).join(", ");
    return [`total ‖·‖: ${words}${each.length > shown.length ? ", …" : ""}`];
  }

  /* Of a pair of tokens: each head's share, the largest first. */
  function pairTip(view, token) {
    const [i, j] = page.pairOf(view.pinned, token.place);
    const heads = view.heads.map((head) => {
      const value = page.value(view.layer, head, i, j);
      const share = Math.abs(value) / (page.total(view.layer, head, i) || 1);
      const words = page.written(value, share, view.layer.weighting);
      return [share, `${headOf(view, head)}  ${words}  ${total(view, head, i)}`.trimEnd()];
    });
    heads.sort((a, b) => b[0] - a[0]);
    const title = `${name(view, "query", i)} reads ${name(view, "source", j)}`;
    const more = heads.length - MOST_HEADS;
    return [
      title,
      ...heads.slice(0, MOST_HEADS).map(([, words]) => words),
      ...(more > 0 ? [`and ${more} more heads`] : []),
    ];
  }

  page.lineTip = (view, line) => [
    `${page.headName(line.head)}  ${said(view, line)}`,
    `${name(view, "query", line.i)} reads ${name(view, "source", line.j)}`,
    ...(view.layer.totals && !view.shown.merged ? [total(view, line.head, line.i)] : []),
  ];

  /* The strongest lines of the pinned token, in words, for who does not see them. */
  page.spoken = function () {
    const view = page.drawnHeads();
    return view && view.pinned ? page.tokenTip(view, view.pinned).slice(0, 4).join("; ") : "";
  };
})();
