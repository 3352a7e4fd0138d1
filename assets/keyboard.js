/* The keys: f + − [ / ? Esc anywhere outside a field; arrows on the graph. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const ARROWS = {
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
  };
  const FIELDS =
    "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable], " +
    "[role=menu], [role=listbox], [role=dialog]";

  function walk(direction) {
    const cy = flowviz.cytoscape();
    if (!cy) return;
    const here = cy.getElementById(flowviz.selected() || "");
    const next = here.length
      ? flowviz.neighbour(here, ...direction)
      : highest(cy);
    if (next && next.length) flowviz.select(next.id(), flowviz.selected());
  }

  function highest(cy) {
    const nodes = cy.nodes(".node");
    return nodes.length ? nodes.min((node) => node.position().y).ele : nodes;
  }

  const KEYS = {
    f: () => flowviz.fit(),
    "+": () => flowviz.zoom(1.25),
    "=": () => flowviz.zoom(1.25),
    "-": () => flowviz.zoom(0.8),
    "[": () => flowviz.fold(),
    c: () => flowviz.toggleCheck(),
    x: () => flowviz.swap(),
    PageUp: () => flowviz.stepBlock(1),
    PageDown: () => flowviz.stepBlock(-1),
    Escape: () => {
      flowviz.unpick();
      flowviz.select(null);
    },
    "?": () => window.dash_clientside.set_props(flowviz.names.HELP, { opened: true }),
    "/": () => {
      const prompt = document.getElementById(flowviz.names.PROMPT);
      prompt.focus();
      prompt.setSelectionRange(prompt.value.length, prompt.value.length);
    },
  };

  function onGraph(target) {
    const canvas = document.getElementById(flowviz.names.CANVAS);
    return target === document.body || (canvas && canvas.contains(target));
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (!document.getElementById(flowviz.names.CANVAS)) return;
    const inField = event.target.matches && event.target.closest(FIELDS);
    if (inField) {
      if (event.key === "Escape" && inField.id === flowviz.names.PROMPT) inField.blur();
      return;
    }
    if (event.key === "Enter" && event.shiftKey && onGraph(event.target)) {
      flowviz.pick(flowviz.selected());
      return;
    }
    const arrow = ARROWS[event.key];
    if (arrow && onGraph(event.target)) {
      event.preventDefault();
      walk(arrow);
    } else if (event.key.startsWith("Page") && !flowviz.names.BLOCKS) {
      return; // the flow page scrolls
    } else if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });
})();
