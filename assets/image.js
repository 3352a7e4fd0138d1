/* The picture as a file: PNG at twice the size, or SVG. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function image(png, svg, shown) {
    const cy = flowviz.cytoscape();
    if (!shown || !cy || !(png || svg)) return;
    const trigger = window.dash_clientside.callback_context.triggered_id || "";
    const bg = getComputedStyle(document.body).backgroundColor;
    const name = flowviz.names.BLOCKS ? "block" : flowviz.names.SECOND ? "compare" : "flow";
    cy.elements().removeClass("path dim hover");
    flowviz.onScreen(false);
    if (trigger.endsWith("svg")) {
      save(new Blob([cy.svg({ full: true, bg })], { type: "image/svg+xml" }), `${name}.svg`);
    } else {
      save(cy.png({ full: true, scale: 2, bg, output: "blob", maxWidth: 8000 }), `${name}.png`);
    }
    flowviz.onScreen(true);
    flowviz.point(null);
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { image });
})();
