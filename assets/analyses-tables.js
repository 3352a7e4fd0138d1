/* The tables behind the analyses: how figures are written, and links into the flow. */
(function () {
  "use strict";
  const grid = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  grid.flowvizFigure = function (value) {
    if (value === null || value === undefined || typeof value !== "number") return value ?? "";
    if (Number.isInteger(value)) return value.toLocaleString("en").replace("-", "−");
    const size = Math.abs(value);
    const text = size < 0.001 || size >= 1e5 ? size.toExponential(1) : size.toPrecision(3);
    return (value < 0 ? "−" : "") + text;
  };
  grid.flowvizTruth = (value) => (value === true ? "✓ right" : value === false ? "✗ wrong" : "");

  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  cells.FlowLink = (props) =>
    props.value
      ? window.React.createElement("a", { href: props.value, title: "Open in the flow" }, "open")
      : null;
})();
