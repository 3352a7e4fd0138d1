/* The list of factors: rows, pages, keys. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.factors = flowviz.factors || {});
  const keep = () => window.dash_clientside.no_update;
  const byId = (id) => document.getElementById(id);
  const make = (...all) => page.make(...all);
  let drawn = null; // what is drawn
  let rows = [];
  let at = 0; // the row that the keyboard is on

  /* The list, the factor that is open → draws the rows */
  function factorsList(listed, told) {
    const box = byId(page.ids().ROWS);
    if (!box) return keep();
    if (listed !== drawn || !box.firstChild) draw(box, listed);
    const open = told ? told.factor : null;
    rows.forEach((row, i) => {
      const own = Number(row.dataset.factor) === open;
      row.setAttribute("aria-selected", String(own));
      if (own) at = i;
    });
    mark(false);
    return keep();
  }

  function draw(box, listed) {
    drawn = listed;
    at = 0;
    rows = listed ? listed.rows.map(row) : [];
    box.replaceChildren(...rows);
    if (listed && listed.nothing) box.append(make("p", "dim", listed.nothing));
    box.scrollTop = 0;
    box.dataset.drawn = listed ? `${listed.page}-${rows.length}` : "none";
    drawPages(listed);
  }

  function row(given, i) {
    const line = make("div", "factor-row");
    line.id = `factor-row-${i}`;
    line.dataset.factor = given.factor;
    line.setAttribute("role", "option");
    const share = make("small", "", given.share);
    const words = make("span", "factor-word", given.word);
    const level = make("i", `level level-${given.look}`, given.level);
    const track = make("span", "importance");
    const bar = make("i");
    bar.style.width = `${100 * given.bar}%`;
    track.append(bar);
    const promoted = make("span", "promoted", given.promoted.join(" "));
    line.append(make("b", "", String(given.factor)), words, share, level, track,
      make("small", "figure", given.importance), make("small", "figure", given.density), promoted); // prettier-ignore
    return page.tip(line, given.tip);
  }

  function drawPages(listed) {
    const box = byId(page.ids().PAGES);
    if (!listed) return box.replaceChildren();
    const step = (by, words, name) => {
      const button = page.button("small", words, () => page.change({ page: listed.page + by || "" }));
      button.disabled = listed.page + by < 0 || listed.page + by >= listed.pages;
      button.setAttribute("aria-label", name);
      button.title = name;
      return button;
    };
    box.replaceChildren(step(-1, "‹", "The page before"), make("span", "dim", listed.words),
      step(1, "›", "The next page")); // prettier-ignore
  }

  function mark(scroll) {
    const box = byId(page.ids().ROWS);
    rows.forEach((one, i) => one.classList.toggle("now", i === at));
    if (rows[at]) box.setAttribute("aria-activedescendant", rows[at].id);
    else box.removeAttribute("aria-activedescendant");
    if (scroll && rows[at]) rows[at].scrollIntoView({ block: "nearest" });
  }

  const STEPS = { ArrowUp: -1, ArrowDown: 1, PageUp: -8, PageDown: 8, Home: -Infinity, End: Infinity };
  document.addEventListener("keydown", (event) => {
    if (!flowviz.pages || !page.here() || event.target.id !== page.ids().ROWS || !rows.length) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") page.openFactor(rows[at].dataset.factor);
    else if (event.key in STEPS) {
      at = Math.max(0, Math.min(rows.length - 1, at + STEPS[event.key]));
      mark(true);
      page.showTip(rows[at]);
    } else return;
    event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    if (!flowviz.pages || !page.here() || !event.target.closest) return;
    const one = event.target.closest("[data-factor]");
    if (one) page.openFactor(one.dataset.factor);
  });

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { factorsList });
})();
