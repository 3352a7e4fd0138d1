/* What the contexts have in common: bars of how often, with a whisker for the interval and an upright
   mark for how often it would be anyway. A click on a bar keeps only the contexts that it counts. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.contexts = flowviz.contexts || {});
  const keep = () => window.dash_clientside.no_update;
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const byId = (id) => document.getElementById(id);
  const make = (...all) => page.make(...all);
  const OVER = { "1": "over", "-1": "under", "0": "chance" };
  const CLICK = "Click to keep only these; with Shift, to leave them out";
  const FIRST = 6; // bars that are drawn at once, with those that stand out,
  const MOST = 12; // but no more than these
  const NOTHING = ["Nothing was found, so nothing is counted.", "Nothing is known of these words."];
  let tips = new WeakMap(); // what each bar says

  /* Summaries, the role that is open → draws its bars */
  function contextsBars(summary, tab) {
    const box = byId(page.ids().CHARTS);
    if (!box || !summary) return keep();
    const open = summary.roles.find(({ role }) => role === tab) || summary.roles[0];
    const charts = open.charts.map(chart);
    if (!charts.length) charts.push(make("p", "dim", NOTHING[Number(summary.hits > 0)]));
    const notes = summary.notes.map((text) => make("p", "dim note", text));
    const about = summary.about.map((text) => make("p", "dim about", text));
    box.replaceChildren(tabs(summary.roles, open), ...notes, key(), ...charts, ...about);
    box.dataset.drawn = `${open.role}-${summary.hits}`;
    return keep();
  }

  function tabs(roles, open) {
    const list = make("div", "tabs");
    list.setAttribute("role", "tablist");
    roles.forEach((each) => {
      const tab = make("button", "", each.words);
      tab.type = "button";
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", String(each === open));
      tab.tabIndex = each === open ? 0 : -1;
      tab.dataset.tab = each.role;
      const count = each.stand_out;
      tab.title = `${count || "No"} value${count === 1 ? "" : "s"} more often than chance gives`;
      if (count) tab.append(make("b", "", String(count)));
      list.append(tab);
    });
    return list;
  }

  flowviz.bars = { chart: (given) => chart(given), key: () => key() }; // other pages draw them, too

  /* What the marks of a bar are. */
  function key() {
    const line = make("div", "bar-key");
    const marks = [["share", "share"], ["whisker", "its 95% interval"], ["base", "would be anyway"]];
    marks.forEach(([look, words]) => {
      const track = make("span", "track");
      track.append(make("i", look));
      line.append(track, make("small", "", words));
    });
    return line;
  }

  function chart(given) {
    const section = make("section", "bars");
    const title = make("h3", "", given.title);
    const unknown = given.unknown ? `, ${given.unknown} unknown` : "";
    title.append(make("small", "", `of ${given.known}${unknown}`));
    title.title = `The upright mark is its share of ${given.base_of}`;
    const wide = given.bars.filter((each, i) => i < FIRST || each.over !== 0).slice(0, MOST);
    const drawn = given.bars.length - wide.length <= 1 ? given.bars : wide;
    section.append(title, ...drawn.map(bar));
    if (drawn.length < given.bars.length) section.append(moreButton(section, given));
    else if (given.others) section.append(othersWords(given));
    return section;
  }

  const othersWords = ({ others }) => make("small", "dim", `hits with other values: ${others}`);

  /* All bars of a chart in place of the first. */
  function moreButton(section, given) {
    const button = make("button", "plain more-bars", `all ${given.bars.length} values`);
    button.type = "button";
    button.addEventListener("click", () => {
      const rest = given.others ? [othersWords(given)] : [];
      section.replaceChildren(section.firstChild, ...given.bars.map(bar), ...rest);
    });
    return button;
  }

  function bar(given) {
    const row = make("button", `count-bar ${OVER[given.over]}`);
    const active = page.filters();
    row.type = "button";
    row.disabled = given.filter === null;
    row.dataset.filter = given.filter || "";
    row.setAttribute("aria-pressed", String(active.includes(given.filter)));
    row.setAttribute("aria-label", given.tip.join("; "));
    const track = make("span", "track");
    const [share, whisker, base] = ["share", "whisker", "base"].map((look) => make("i", look));
    share.style.width = `${100 * given.share}%`;
    whisker.style.left = `${100 * given.low}%`;
    whisker.style.width = `${100 * (given.high - given.low)}%`;
    base.style.left = `${100 * given.base}%`;
    track.append(share, whisker, base);
    row.append(make("span", "bar-label", given.label), track, make("span", "bar-count", String(given.count)),
      make("small", "", given.over ? given.ratio : "")); // prettier-ignore
    tips.set(row, [...given.tip, ...(given.filter ? [CLICK] : [])]);
    return row;
  }

  const barAt = (target) => target && target.closest && target.closest(".count-bar");

  let over = false; // whether the tooltip is that of a bar
  document.addEventListener("mousemove", (event) => {
    const row = barAt(event.target);
    if (row) flowviz.showTooltip(tips.get(row), event.clientX, event.clientY);
    else if (over) flowviz.hideTooltip();
    over = Boolean(row);
  });
  document.addEventListener("focusin", (event) => {
    const row = barAt(event.target);
    if (!row || !row.matches(":focus-visible")) return;
    const edge = row.getBoundingClientRect();
    flowviz.showTooltip(tips.get(row), edge.left, edge.bottom);
  });
  document.addEventListener("focusout", (event) => {
    if (barAt(event.target)) flowviz.hideTooltip();
  });

  document.addEventListener("click", (event) => {
    if (!flowviz.pages || !page.here()) return;
    const row = barAt(event.target);
    const tab = event.target.closest && event.target.closest("[data-tab]");
    if (tab) setProps(page.ids().TAB, { data: tab.dataset.tab });
    if (!row || !row.dataset.filter) return;
    flowviz.hideTooltip();
    const text = row.dataset.filter;
    page.toggleFilter(event.shiftKey ? text.replace("=", "!=") : text);
  });

  /* The role before or after, by the keyboard. */
  document.addEventListener("keydown", (event) => {
    const tab = event.target.dataset && event.target.dataset.tab;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!tab || !step) return;
    const all = [...event.target.parentElement.children];
    const next = all[(all.indexOf(event.target) + step + all.length) % all.length];
    event.preventDefault();
    setProps(page.ids().TAB, { data: next.dataset.tab });
    requestAnimationFrame(() => {
      const shown = document.querySelector(`[data-tab="${next.dataset.tab}"]`);
      if (shown) shown.focus();
    });
  });

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { contextsBars });
})();
