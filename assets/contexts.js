/* The page of contexts: the address that says what is shown, and the keys. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.contexts = flowviz.contexts || {});
  const keep = () => window.dash_clientside.no_update;
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const byId = (id) => document.getElementById(id);
  const NEAR = "-2,-1,0,1,2"; // as in flowviz/views/contexts/look.py

  /* The address says what is shown; what has its default is left out. */
  function contextsSync(shown, colour, offsets, tab) {
    page.shown = shown;
    if (!shown) return keep();
    const near = (offsets || []).map(Number).sort((a, b) => a - b).join(",");
    const given = {
      colour: colour === "upos" ? "" : colour,
      offsets: near === NEAR ? "" : near || "none",
      role: tab === "matched" ? "" : tab,
    };
    const more = Object.fromEntries(Object.entries(given).filter(([, value]) => value));
    flowviz.address(shown, more, `Contexts: ${shown.prompt.trim().slice(0, 50)}`);
    return keep();
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { contextsSync });

  const FIELDS =
    "input:not([type=radio], [type=checkbox]), textarea, select, [role=menu], [role=listbox], " +
    "[role=dialog], [role=slider]";

  const chipAt = (target) => {
    const chip = target.closest && target.closest(`#${page.ids().TOKENS} [data-position]`);
    return chip ? Number(chip.dataset.position) : null;
  };

  /* The site of what is asked now, which may be ahead of what is shown. */
  function stepLayer(by) {
    const [sizes, layer] = [page.sizes(), page.site().split(":")[1]];
    if (!sizes || layer === undefined) return;
    const next = Math.max(0, Math.min(sizes.layers - 1, Number(layer) + by));
    setProps(page.ids().LAYER, { value: next });
  }

  const KEYS = {
    "[": () => stepLayer(-1),
    "]": () => stepLayer(1),
    "?": () => setProps(flowviz.pages.shell.HELP, { opened: true }),
    "/": () => byId(page.ids().PROMPT).focus(),
    m: (event) => page.toggleMask(chipAt(event.target) ?? page.askedAt()),
  };

  document.addEventListener("dblclick", (event) => {
    if (!flowviz.pages || !page.here()) return;
    const at = chipAt(event.target);
    if (at !== null) page.toggleMask(at);
  });

  document.addEventListener("keydown", (event) => {
    if (!flowviz.pages || !page.here() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.isComposing || (event.target.closest && event.target.closest(FIELDS))) return;
    const inHits = event.target.closest && event.target.closest(`#${page.ids().RESULTS}`);
    const own = page.gridKey(event) || (inHits && page.hitKey(event));
    if (!own && !KEYS[event.key]) return;
    event.preventDefault();
    if (!own) KEYS[event.key](event);
  });
})();
