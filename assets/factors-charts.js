/* What is known of one factor: importance over layers, activations, reach, tokens, annotations. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.factors = flowviz.factors || {});
  const keep = () => window.dash_clientside.no_update;
  const byId = (id) => document.getElementById(id);
  const make = (...all) => page.make(...all);
  const SVG = "http://www.w3.org/2000/svg";
  const [WIDE, HIGH] = [340, 84];

  function draw(name, given) {
    const element = document.createElementNS(SVG, name);
    Object.entries(given).forEach(([key, value]) => element.setAttribute(key, value));
    return element;
  }

  /* One factor → draws its charts */
  function factorsCharts(told) {
    const box = byId(page.ids().CHARTS);
    if (!box) return keep();
    if (!told) {
      box.replaceChildren(make("p", "dim", "What is known of a factor stands here."));
      delete box.dataset.drawn;
      return keep();
    }
    const parts = [
      section("Importance over layers", "The mean of its strongest activations at each; click one to see its contexts there", curve(told)),
      section("Activations", "How many tokens have an activation of each size, counts by their logarithm", histogram(told)),
      section("Reach", "How much of the activation is left with so many tokens to see", ...reach(told.reach)),
      section("Tokens of its direction", "What it raises and lowers, read through the lens", readings(told)),
      section("Nearest factors", "By the cosine of their directions", near(told.near)),
    ];
    const bars = told.charts.map(flowviz.bars.chart);
    if (bars.length) parts.push(flowviz.bars.key(), ...bars);
    else parts.push(make("p", "dim", "No annotation of its words is known."));
    told.notes.forEach((note) => parts.push(make("p", "dim note", note)));
    box.replaceChildren(...parts);
    box.dataset.drawn = `${told.factor}-${told.site}`;
    return keep();
  }

  function section(title, tip, ...parts) {
    const made = make("section", "factor-chart");
    const head = make("h3", "", title);
    head.title = tip;
    made.append(head, ...parts);
    return made;
  }

  function frame(name) {
    return draw("svg", { viewBox: `0 0 ${WIDE} ${HIGH + 16}`, role: "group", "aria-label": name });
  }

  function label(svg, x, text) {
    const element = draw("text", { x, y: HIGH + 13, "text-anchor": "middle" });
    element.textContent = text;
    svg.append(element);
  }

  /* A line with a point for each of `points`, which `act` may open. */
  function line(name, points, act) {
    const svg = frame(name);
    const step = WIDE / Math.max(points.length, 1);
    const every = Math.ceil(points.length / 12);
    const at = points.map(({ y }, i) => [step * (i + 0.5), HIGH - 4 - y * (HIGH - 12)]);
    svg.append(draw("line", { x1: 0, x2: WIDE, y1: HIGH - 4, y2: HIGH - 4, class: "axis-line" }));
    svg.append(draw("polyline", { points: at.map((xy) => xy.join(",")).join(" "), class: "curve" }));
    points.forEach((point, i) => {
      const dot = draw("circle", { cx: at[i][0], cy: at[i][1], r: point.here ? 5 : 3.5, class: point.here ? "dot here" : "dot" });
      const room = draw("rect", { x: step * i, y: 0, width: step, height: HIGH, class: "room" });
      const group = draw("g", { class: "point", "aria-label": point.tip.join("; ") });
      group.append(room, dot);
      page.tip(group, point.tip);
      if (act) opens(group, () => act(point));
      svg.append(group);
      if (i % every === 0) label(svg, at[i][0], point.label);
    });
    return svg;
  }

  function opens(group, act) {
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", "0");
    group.addEventListener("click", act);
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      act();
    });
  }

  const curve = (told) => line("Importance over layers", told.curve, ({ site }) => page.openSite(site));

  function histogram(told) {
    const bars = told.histogram;
    if (!bars.length) return make("p", "dim", "It is active nowhere here.");
    const svg = frame("Histogram of its activations");
    const step = WIDE / bars.length;
    bars.forEach((bar, i) => {
      const height = Math.max(bar.y * (HIGH - 8), bar.y ? 2 : 0);
      const group = draw("g", { class: "point", "aria-label": bar.tip.join(": ") });
      group.append(draw("rect", { x: step * i, y: 0, width: step, height: HIGH, class: "room" }));
      group.append(draw("rect", { x: step * i + 0.5, y: HIGH - 4 - height, width: Math.max(step - 1, 1), height, class: "bar" }));
      page.tip(group, bar.tip);
      svg.append(group);
    });
    svg.append(draw("line", { x1: 0, x2: WIDE, y1: HIGH - 4, y2: HIGH - 4, class: "axis-line" }));
    label(svg, 16, bars[0].low);
    label(svg, WIDE - 18, bars[bars.length - 1].high);
    return svg;
  }

  function reach(given) {
    const words = make("p", "", given.words);
    return given.points.length ? [line("What is left with fewer tokens to see", given.points), words] : [words];
  }

  function readings(told) {
    const box = make("div", "factor-reads");
    [["raises", told.promoted, ""], ["lowers", told.suppressed, "below"]].forEach(([name, given, look]) => {
      const list = make("ol", look);
      given.forEach((each) => {
        const row = make("li");
        const bar = make("i");
        bar.style.width = `${100 * each.bar}%`;
        row.append(bar, make("span", "", each.token), make("small", "", each.score));
        list.append(page.tip(row, each.tip));
      });
      const column = make("div");
      column.append(make("h4", "", name), list);
      box.append(column);
    });
    return box;
  }

  function near(given) {
    const box = make("div", "near-factors");
    given.forEach((each) => {
      const button = make("button", "chip", `${each.factor} ${each.word}`);
      button.type = "button";
      button.dataset.factor = each.factor;
      button.append(make("small", "", ` ${each.cosine}`));
      box.append(page.tip(button, [`Factor ${each.factor}, most often at ${each.word}`, `cosine ${each.cosine}`]));
    });
    return box;
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { factorsCharts });
})();
