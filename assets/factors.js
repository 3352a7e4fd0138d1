/* The page of factors: the address that says what is shown, and the keys. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.factors = flowviz.factors || {});
  const keep = () => window.dash_clientside.no_update;
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const byId = (id) => document.getElementById(id);

  /* The address says what is shown; what has its default is left out. */
  function factorsSync(shown, tab, layer) {
    page.shown = shown;
    if (!shown) return keep();
    const given = { contexts: tab === "top" ? "" : tab, layer: shown.prompt ? layer : "" };
    const more = Object.fromEntries(Object.entries(given).filter(([, value]) => value));
    const what = shown.factor ? `Factor ${shown.factor}` : shown.prompt || shown.text || shown.model;
    flowviz.address(shown, more, `Factors: ${what.trim().slice(0, 50)}`);
    return keep();
  }

  const FIELDS =
    "input:not([type=radio], [type=checkbox]), textarea, select, [role=menu], [role=listbox], " +
    "[role=dialog], [role=slider]";

  /* The layer of the prompt's table below or above. */
  function stepLayer(by) {
    const all = [...document.querySelectorAll(".heat-layers .layer")];
    const now = all.findIndex((button) => button.getAttribute("aria-pressed") === "true");
    const next = all[Math.max(0, Math.min(all.length - 1, now + by))];
    if (next) next.click();
  }

  const KEYS = {
    "[": () => stepLayer(-1),
    "]": () => stepLayer(1),
    "?": () => setProps(flowviz.pages.shell.HELP, { opened: true }),
    "/": () => byId(page.ids().PROMPT).focus(),
  };

  document.addEventListener("keydown", (event) => {
    if (!flowviz.pages || !page.here() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.isComposing || !KEYS[event.key]) return;
    const list = event.target.id === page.ids().ROWS;
    if (!list && event.target.closest && event.target.closest(FIELDS)) return;
    event.preventDefault();
    KEYS[event.key]();
  });

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { factorsSync });
})();
