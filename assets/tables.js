/* The inspector's tables: how figures are written, and rows that lead to nodes of the graph. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const grid = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

  grid.flowvizSigned = function (value) {
    if (value === null || value === undefined) return "";
    const size = Math.abs(value);
    const few = size < 0.01 ? 2 : 3;
    const tiny = size && (size < 0.001 || size >= 1e5);
    const digits = tiny ? size.toExponential(1) : size.toPrecision(few);
    return (value < 0 ? "−" : "+") + digits;
  };
  grid.flowvizShare = function (value) {
    if (value === null || value === undefined) return "";
    const size = Math.abs(100 * value);
    if (size > 0 && size < 0.01) return "<0.01%";
    const text = `${size.toFixed(size >= 10 || !size ? 0 : size >= 1 ? 1 : 2)}%`;
    return value < 0 ? `−${text}` : text;
  };
  grid.flowvizNumber = function (value) {
    return value === null || value === undefined ? "" : grid.flowvizSigned(value).slice(1);
  };
  grid.flowvizByAmount = (a, b) => Math.abs(a) - Math.abs(b);

  function edgeOf(target) {
    const row = target.closest && target.closest(".flows .ag-row[row-id]");
    const edge = row && row.getAttribute("row-id");
    return edge && edge.includes(" ") ? { edge, table: row.closest(".flows").id } : null;
  }

  function open(target) {
    if (!target.closest || target.closest("button")) return;
    const found = edgeOf(target);
    if (!found) return;
    const [source, end] = found.edge.split(" ");
    flowviz.select(found.table === flowviz.names.INFLOWS ? source : end, flowviz.selected());
  }

  document.addEventListener("click", (event) => open(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter") open(event.target);
  });
  /* The element of the graph that a row or a button stands for. */
  function pointed(target) {
    const found = edgeOf(target);
    if (found) return found.edge.replace(" ", ">");
    const button = target.closest && target.closest("[data-node]");
    return button && button.dataset.node;
  }

  document.addEventListener("mouseover", (event) => {
    const id = pointed(event.target);
    const cy = id && flowviz.cytoscape();
    if (cy) flowviz.point(cy.getElementById(id));
  });
  document.addEventListener("mouseout", (event) => {
    if (pointed(event.target)) flowviz.point(null);
  });

  /* Marks the rows of an edge or of a node under the pointer. */
  flowviz.markRows = function (id) {
    document.querySelectorAll(".flows .ag-row.pointed").forEach((row) => {
      row.classList.remove("pointed");
    });
    if (!id) return;
    document.querySelectorAll(".flows .ag-row[row-id]").forEach((row) => {
      const edge = row.getAttribute("row-id");
      const table = row.closest(".flows").id;
      const other = edge.split(" ")[table === flowviz.names.INFLOWS ? 0 : 1];
      row.classList.toggle("pointed", edge.replace(" ", ">") === id || other === id);
    });
  };
})();
