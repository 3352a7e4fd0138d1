/* The ids that scripts use. flowviz/ui/ids.py and flowviz/ui/flow/ids.py are their source; a test
   compares them. */
window.flowviz = window.flowviz || {};
window.flowviz.names = {
  NOTICE: "shell-notice",
  HELP: "shell-help",
  PROMPT: "flow-prompt",
  RUN: "flow-run",
  TOKENS: "flow-tokens",
  TARGET: "flow-target",
  CONTRAST: "flow-contrast",
  POSITION: "flow-position",
  TYPED: "flow-typed",
  AGAIN: "flow-again",
  MODEL: "flow-model",
  PICKING: "flow-picking",
  LAYERS: "flow-layers",
  POSITIONS: "flow-positions",
  STANDING: "flow-standing",
  SHOWN: "flow-shown",
  SELECTED: "flow-selected",
  GRAPH: "flow-graph",
  CANVAS: "flow-canvas",
  LEGEND: "flow-legend",
  FOLD: "flow-fold",
  INFLOWS: "flow-inflows",
  OUTFLOWS: "flow-outflows",
};
