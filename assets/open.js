/* From the flow to the inside of a block: a double click on a node, or on a layer's name. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const PARTS = { resid_pre: "state", resid_mid: "mid", head: "head", neuron: "neuron" };
  let shown = null;

  /* The page of that block, at a position, with the same prompt, model and target. */
  function open(layer, position, part) {
    if (!shown) return;
    const { prompt, model, token, contrast, position: target } = shown;
    const all = { model, prompt, token, contrast, position: target, layers: `${layer}-${layer}` };
    const given = Object.entries({ ...all, at: position, node: part });
    const query = new URLSearchParams(given.filter(([, value]) => value !== undefined));
    const page = document.querySelector('.pages a[href$="/inside"]');
    location.assign(`${page.pathname}?${query}`);
  }

  flowviz.openNode = function (key) {
    const [kind, layer, position, index] = key.split(":");
    if (!PARTS[kind] || !flowviz.names.LAYERS) return;
    open(layer, position, `${PARTS[kind]}:${layer}:${index || 0}:0`);
  };

  document.addEventListener("dblclick", (event) => {
    const label = event.target.closest && event.target.closest(".axis.up span");
    const layer = label && /^layer (\d+)$/.exec(label.textContent);
    if (layer && flowviz.names.LAYERS) open(layer[1], undefined, undefined);
  });

  /* What is drawn on the flow page, told by link.js. */
  flowviz.canOpen = (request) => {
    shown = request;
  };
})();
