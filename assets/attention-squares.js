/* The heads of a layer as coloured squares, to switch on and off. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.attention = flowviz.attention || {});

  /* Draws a square for each head of a layer into a box; `on` are the chosen ones. A button stays: of
     one that is replaced between two clicks the browser tells no double click. */
  page.drawSquares = function (box, layer, on) {
    const chosen = new Set(on);
    while (box.children.length > layer.heads) box.lastChild.remove();
    while (box.children.length < layer.heads) box.append(square(box.children.length));
    [...box.children].forEach((button, head) => {
      button.title = `L${layer.layer} H${head}: click to switch on or off, double-click for it alone`;
      button.setAttribute("aria-pressed", String(chosen.has(head)));
      button.style.setProperty("--head", page.headColour(head));
    });
  };

  function square(head) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.square = head;
    button.textContent = head;
    button.setAttribute("aria-label", `Head ${head}`);
    return button;
  }
})();
