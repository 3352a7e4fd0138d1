/* One tooltip for the graph. Tokens come from outside: text only, never markup. */
(function () {
  "use strict";
  window.flowviz = window.flowviz || {};
  let box = null;

  function make() {
    box = document.createElement("div");
    box.className = "tooltip";
    box.setAttribute("role", "tooltip");
    document.body.appendChild(box);
  }

  window.flowviz.showTooltip = function (tip, x, y) {
    if (!box) make();
    const lines = Array.isArray(tip) ? tip : String(tip || "").split("\n");
    box.replaceChildren(
      ...lines.map((line) => {
        const row = document.createElement("div");
        row.textContent = line;
        return row;
      }),
    );
    box.classList.add("on");
    const { width, height } = box.getBoundingClientRect();
    const left = x + 14 + width > innerWidth ? x - 14 - width : x + 14;
    const top = y + 14 + height > innerHeight ? y - 14 - height : y + 14;
    box.style.left = `${Math.max(4, left)}px`;
    box.style.top = `${Math.max(4, top)}px`;
  };

  window.flowviz.hideTooltip = function () {
    if (box) box.classList.remove("on");
  };
})();
