/* The ids that scripts use, page by page; `flowviz.names` are those of the page that is open.
   flowviz/ui/ids.py and the ids.py of each page are their source; a test compares them. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const shell = { NOTICE: "shell-notice", HELP: "shell-help" };
  const flow = {
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
    LINK: "flow-link",
    INFLOWS: "flow-inflows",
    OUTFLOWS: "flow-outflows",
  };
  const inside = {
    PROMPT: "inside-prompt",
    RUN: "inside-run",
    TOKENS: "inside-tokens",
    TARGET: "inside-target",
    CONTRAST: "inside-contrast",
    POSITION: "inside-position",
    EXPLAINED: "inside-explained",
    TYPED: "inside-typed",
    AGAIN: "inside-again",
    MODEL: "inside-model",
    PICKING: "inside-picking",
    BLOCKS: "inside-blocks",
    STANDING: "inside-standing",
    SHOWN: "inside-shown",
    SELECTED: "inside-selected",
    GRAPH: "inside-graph",
    CANVAS: "inside-canvas",
    LEGEND: "inside-legend",
    FOLD: "inside-fold",
    LINK: "inside-link",
    INFLOWS: "inside-inflows",
    OUTFLOWS: "inside-outflows",
  };
  const analyses = {
    ROOT: "analyses-root",
    MODEL: "analyses-model",
    PICKING: "analyses-picking",
    SOURCE: "analyses-source",
    TEXT: "analyses-text",
    FILE: "analyses-file",
    TYPED: "analyses-typed",
    TOKEN: "analyses-token",
    RUN: "analyses-run",
    STANDING: "analyses-standing",
    SHOWN: "analyses-shown",
    LINK: "analyses-link",
  };
  const compare = {
    PROMPT: "compare-prompt",
    SECOND: "compare-second",
    RUN: "compare-run",
    SWAP: "compare-swap",
    MORE: "compare-more",
    TOKENS: "compare-tokens",
    TARGET: "compare-target",
    CONTRAST: "compare-contrast",
    OWN: "compare-own",
    POSITION: "compare-position",
    TYPED: "compare-typed",
    SECOND_TYPED: "compare-second-typed",
    AGAIN: "compare-again",
    MODEL: "compare-model",
    SECOND_MODEL: "compare-second-model",
    PICKING: "compare-picking",
    STANDING: "compare-standing",
    SHOWN: "compare-shown",
    SELECTED: "compare-selected",
    GRAPH: "compare-graph",
    CANVAS: "compare-canvas",
    LEGEND: "compare-legend",
    FOLD: "compare-fold",
    LINK: "compare-link",
    INFLOWS: "compare-inflows",
    OUTFLOWS: "compare-outflows",
    ROWS: "compare-rows",
  };
  const check = {
    ROOT: "check-root",
    PANEL: "check-panel",
    CHOSEN: "check-chosen",
    ASKED: "check-asked",
    STANDING: "check-standing",
    SHOWN: "check-shown",
    TOGGLE: "check-toggle",
    AGAINST: "check-against",
    OTHER: "check-other",
    OTHER_RUN: "check-other-run",
    SMALLEST_RUN: "check-smallest-run",
    RETRY: "check-retry",
  };
  const change = {
    EDIT: "change-edit",
    PARTS: "change-parts",
    PARTS_COUNT: "change-parts-count",
  };
  flowviz.pages = { shell, flow, inside, compare, analyses, check, change };
  Object.defineProperty(flowviz, "names", {
    get() {
      const open = [flow, inside, compare].find((page) => document.getElementById(page.PROMPT));
      return { ...shell, ...open };
    },
  });
})();
