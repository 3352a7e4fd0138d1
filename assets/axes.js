/* The axes stay in sight: tokens along the lower edge, layers along the left one, as text over the
   canvas that follows zoom and pan. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const CLOSEST = 10; // pixels between two labels
  const SHORT = 30; // the height of a band that is one row of parts
  const TOOLS = 42; // what the tools above take
  let across = null;
  let up = null;

  function axis(className) {
    const box = document.createElement("div");
    box.className = `axis ${className}`;
    box.setAttribute("aria-hidden", "true");
    return box;
  }

  function label(node) {
    const span = document.createElement("span");
    span.textContent = node.data("label");
    span.title = node.data("tip") || node.data("label");
    if (node.hasClass("empty")) span.className = "dim";
    return { span, node };
  }

  /* Makes the labels of the graph that is drawn now. */
  flowviz.axes = function (cy) {
    const canvas = document.getElementById(flowviz.names.CANVAS);
    canvas.querySelectorAll(".axis").forEach((old) => old.remove());
    const boxes = [axis("across"), axis("up")];
    canvas.append(...boxes);
    across = cy.nodes(".heading").map(label);
    up = cy.nodes(".band").map(label);
    up.forEach((each) => { each.short = each.node.data("height") < SHORT; });
    boxes[0].hidden = !across.length;
    boxes[0].append(...across.map((each) => each.span));
    boxes[1].append(...up.map((each) => each.span));
    flowviz.placeAxes(cy);
  };

  flowviz.placeAxes = function (cy) {
    if (!across) return;
    const { x: panX, y: panY } = cy.pan();
    const zoom = cy.zoom();
    const height = cy.height();
    up.forEach((each) => {
      const { span, node } = each;
      const middle = node.position().y * zoom + panY;
      const half = (node.data("height") * zoom) / 2;
      const top = Math.max(TOOLS, middle - half);
      const bottom = Math.min(height - 26, middle + half);
      span.hidden = bottom - top < (each.short ? 5 : 14);
      span.style.transform = `translate(0, calc(${(top + bottom) / 2}px - 50%))`;
    });
    let free = -Infinity; // where the last label ends
    across.forEach(({ span, node }) => {
      const middle = node.position().x * zoom + panX;
      span.hidden = false;
      const half = span.offsetWidth / 2;
      span.hidden = middle - half < free || middle < 0 || middle > cy.width();
      span.style.transform = `translate(calc(${middle}px - 50%), 0)`;
      if (!span.hidden) free = middle + half + CLOSEST;
    });
  };
})();
