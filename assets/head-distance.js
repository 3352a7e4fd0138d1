/* The distance view: the mean score, and the strongest dimensions' shares, by distance. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.head = flowviz.head || {});
  const LEFT = 62;
  const RIGHT = 64; // for the names of the lines
  const TOP = 40;
  const BETWEEN = 46; // the two charts
  const BELOW = 40;
  const WORDS = 13; // pixels a name of a line takes
  const TICKS = 5;

  function unpack(packed) {
    const means = page.floats(packed.means);
    const at = (distance, dim) => means[distance * packed.d_head + dim];
    const dims = [...Array(packed.d_head).keys()];
    const distances = packed.counts.flatMap((count, distance) => (count ? [distance] : []));
    const scores = new Map(
      distances.map((d) => [d, dims.reduce((sum, dim) => sum + at(d, dim), 0)]),
    );
    const pairs = packed.counts.reduce((sum, count) => sum + count, 0) || 1;
    const middles = dims.map(
      (dim) => distances.reduce((sum, d) => sum + packed.counts[d] * at(d, dim), 0) / pairs,
    );
    const off = (distance, dim) => at(distance, dim) - middles[dim];
    return { ...packed, at, off, distances, scores };
  }

  function layout(data, width, height) {
    const high = Math.max(380, Math.min(height, 720));
    const room = high - TOP - BETWEEN - BELOW;
    const last = data.distances[data.distances.length - 1] || 1;
    return {
      width, height: high, last,
      charts: [
        { top: TOP, high: room * 0.36 },
        { top: TOP + room * 0.36 + BETWEEN, high: room * 0.64 },
      ],
      x: (distance) => LEFT + ((width - LEFT - RIGHT) * distance) / Math.max(1, last),
    }; // prettier-ignore
  }

  /* The dimensions that have a line: the strongest, and the marked one. */
  const lines = (data, { dim }) =>
    dim === null || dim === undefined || dim >= data.d_head || data.lines.includes(dim)
      ? data.lines
      : [...data.lines, dim];

  function scale(values, { top, high }) {
    let [low, up] = [Math.min(0, ...values), Math.max(0, ...values)];
    if (low === up) [low, up] = [-1, 1];
    const pad = 0.05 * (up - low);
    [low, up] = [low - pad, up + pad];
    return { low, up, y: (value) => top + (high * (up - value)) / (up - low) };
  }

  function steps(low, up) {
    const rough = (up - low) / TICKS;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
    const ticks = [];
    for (let at = Math.ceil(low / step); at * step <= up; at++) ticks.push(at * step);
    return ticks;
  }

  function paint(ink, data, place, state) {
    const { colours } = state;
    const soft = { fill: colours["soft-ink"], size: 11 };
    ink.rect(0, 0, place.width, place.height, colours.paper);
    const drawn = lines(data, state);
    const [above, below] = place.charts;
    const whole = scale([...data.scores.values()], above);
    const every = drawn.flatMap((dim) => data.distances.map((d) => data.off(d, dim)));
    const parts = scale(every, below);
    ink.text(LEFT, above.top - 12, `mean score of ${data.name}`, soft);
    ink.text(LEFT, below.top - 12, "mean share of a dimension in the score, less its mean over all distances", soft);
    axes(ink, place, above, whole, colours, false);
    axes(ink, place, below, parts, colours, true);
    const points = (value) => data.distances.map((d) => [place.x(d), value(d)]);
    ink.line(points((d) => whole.y(data.scores.get(d))), colours.ink, 2);
    drawn.forEach((dim, at) => {
      const thick = dim === state.dim ? 3.5 : 1.8;
      ink.line(points((d) => parts.y(data.off(d, dim))), page.lineColour(at), thick);
    });
    names(ink, data, place, parts, drawn, state);
    state.drawn = { whole, parts, lines: drawn };
  }

  function axes(ink, place, chart, { low, up, y }, colours, named) {
    const soft = { fill: colours["soft-ink"], size: 10 };
    const right = place.width - RIGHT;
    steps(low, up).forEach((value) => {
      ink.line([[LEFT, y(value)], [right, y(value)]], value ? colours.line : colours["strong-line"], 1);
      const words = value ? page.signed(value).replace(/\.?0+$/, "") : "0";
      ink.text(LEFT - 6, y(value) + 4, words, { ...soft, anchor: "right" });
    });
    steps(0, Math.max(1, place.last)).filter(Number.isInteger).forEach((distance) => {
      ink.text(place.x(distance), chart.top + chart.high + 14, String(distance), { ...soft, anchor: "middle" });
    });
    if (named) {
      const middle = (LEFT + right) / 2;
      const words = "distance: how many tokens back the head looks";
      ink.text(middle, chart.top + chart.high + 31, words, { ...soft, anchor: "middle" });
    }
  }

  /* The lines' names at their ends, moved apart where they would meet. */
  function names(ink, data, place, parts, drawn, state) {
    const last = data.distances[data.distances.length - 1];
    const ends = drawn.map((dim, at) => ({ dim, at, y: parts.y(data.off(last, dim)) + 4 }));
    ends.sort((a, b) => a.y - b.y);
    ends.forEach((each, i) => {
      if (i) each.y = Math.max(each.y, ends[i - 1].y + WORDS);
    });
    const over = ends.length ? ends[ends.length - 1].y - (place.charts[1].top + place.charts[1].high) : 0;
    ends.forEach(({ dim, at, y }) => {
      const weight = dim === state.dim ? 700 : 400;
      const fill = page.lineColour(at);
      ink.text(place.width - RIGHT + 6, y - Math.max(0, over), `dim ${dim}`, { fill, size: 11, weight });
    });
  }

  function hit(data, place, x, y) {
    if (x < LEFT - 8 || x > place.width || y < TOP - 10 || !data.distances.length) return null;
    const near = (d) => Math.abs(place.x(d) - x);
    const distance = data.distances.reduce((best, d) => (near(d) < near(best) ? d : best));
    return { distance, y };
  }

  const frame = (data, place, { distance }) => [place.x(distance), TOP, 0, place.height - TOP - BELOW];

  function tip(data, { distance }, state) {
    const count = data.counts[distance];
    const pairs = count === 1 ? "1 pair" : `${count.toLocaleString("en")} pairs`;
    const drawn = lines(data, state);
    return [
      `distance ${distance}, ${pairs}`,
      `score ${page.signed(data.scores.get(distance))}`,
      ...drawn.map((dim) => `dimension ${dim}  ${page.signed(data.at(distance, dim))}, ${page.signed(data.off(distance, dim))} from its mean`),
    ];
  }

  /* A click marks the line that is nearest to it. */
  function click(data, { distance, y }, state) {
    const [, below] = state.place.charts;
    if (y < below.top - 10) return {};
    const off = (dim) => Math.abs(state.drawn.parts.y(data.off(distance, dim)) - y);
    return { dim: state.drawn.lines.reduce((best, dim) => (off(dim) < off(best) ? dim : best)) };
  }

  const spoken = (data) => `${data.name}: ${page.signed(data.slope)} a token of distance`;

  page.views = page.views || {};
  page.views.distance = { unpack, layout, paint, hit, frame, tip, click, spoken };
})();
