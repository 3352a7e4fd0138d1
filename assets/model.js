/* The model box: each model with what it is and whether it is in memory. */
(function () {
  "use strict";
  const part = (kind, look, ...inside) =>
    window.React.createElement(kind, { className: look }, ...inside);

  const functions = (window.dashMantineFunctions = window.dashMantineFunctions || {});
  functions.flowvizModel = ({ option, checked }) =>
    part(
      "div",
      `model-option ${option.look}${checked ? " checked" : ""}`,
      part("strong", "", option.label),
      part("span", "state", option.state),
      part("small", "", option.about),
    );

  /* Where models stand is asked again each time that the box is opened. */
  function picked(event) {
    const names = window.flowviz.names;
    const boxes = [names.MODEL, names.SECOND_MODEL].filter(Boolean);
    if (!boxes.includes(event.target.id)) return;
    window.dash_clientside.set_props(names.PICKING, { data: Date.now() });
  }
  document.addEventListener("focusin", picked);
  document.addEventListener("click", picked);
})();
