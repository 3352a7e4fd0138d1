/* The graph in the browser: hover, selection, zoom, fit. Everything here answers at once. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const names = () => flowviz.names;
  let readable = 0.72; // the zoom below which labels are too small to read
  let room = null; // what lies over the canvas, where the picture says so
  const LARGEST = 1.3;
  const WIDE = 700; // where the legend has room, as in 45-picture.css
  let selected = null;
  let moved = false; // whether the user has zoomed or panned since the last fit
  let frameOf = ""; // prompt, model and wiring of the last fit
  let taps = [null, null]; // what was tapped last and before it: by id

  function cytoscape() {
    const element = document.getElementById(names().GRAPH);
    return (element && element._cyreg && element._cyreg.cy) || null;
  }
  flowviz.cytoscape = cytoscape;

  /* The whole graph between what lies over the canvas at its upper and lower edge. */
  function fitInto(cy, { top, bottom, side }) {
    const box = cy.elements().boundingBox({ includeLabels: false });
    const wide = cy.width() - 2 * side;
    const high = cy.height() - top - bottom;
    const zoom = Math.min(wide / box.w, high / box.h, LARGEST);
    const x = side + (wide - box.w * zoom) / 2 - box.x1 * zoom;
    const y = top + (high - box.h * zoom) / 2 - box.y1 * zoom;
    cy.viewport({ zoom, pan: { x, y } });
  }

  /* The whole graph. */
  function fit() {
    const cy = cytoscape();
    if (!cy || !cy.elements().length) return;
    cy.resize();
    room ? fitInto(cy, room) : cy.fit(cy.elements(), 44);
    if (cy.zoom() > LARGEST) {
      cy.zoom(LARGEST);
      cy.center(cy.elements());
    }
    moved = false;
  }
  flowviz.fit = fit;

  /* The whole graph where its labels can be read then; else its upper end, with the target. */
  function frame() {
    const cy = cytoscape();
    if (!cy || !cy.elements().length) return;
    fit();
    if (cy.zoom() >= readable) return;
    const box = cy.elements().boundingBox();
    cy.zoom(readable);
    const x = room ? room.side - box.x1 * readable : across(cy, box);
    cy.pan({ x, y: (room ? room.top : 46) - box.y1 * readable });
  }

  /* The graph in the middle; a wide one with its right end in sight, and the target with it. */
  function across(cy, box) {
    const wide = (box.x2 - box.x1) * readable > cy.width() - 100;
    if (!wide) return (cy.width() - (box.x1 + box.x2) * readable) / 2;
    const target = cy.nodes(".target").first();
    const middle = target.length ? target.position().x : box.x2;
    return Math.max(
      cy.width() - 16 - box.x2 * readable,
      Math.min(cy.width() - 90, cy.width() * 0.4) - middle * readable,
    );
  }

  /* On screen the axes are text over the canvas; in a file they belong to the picture. */
  flowviz.onScreen = function (on) {
    cytoscape().nodes(".heading, .band").style("text-opacity", on ? 0 : 1);
  };

  flowviz.zoom = function (factor) {
    const cy = cytoscape();
    if (!cy) return;
    const middle = { x: cy.width() / 2, y: cy.height() / 2 };
    cy.zoom({ level: cy.zoom() * factor, renderedPosition: middle });
    moved = true;
  };

  /* Shows the strongest paths through an element, and dims what is off them. */
  function light(element) {
    const cy = cytoscape();
    if (!cy) return;
    cy.batch(() => {
      cy.elements(".path, .dim").removeClass("path dim");
      if (!element || !element.length || !cy.edges().length) return;
      const lit = cy.collection(Array.from(flowviz.paths(element)));
      cy.elements("edge, node.node").not(lit).addClass("dim");
      lit.addClass("path");
    });
  }

  function mark() {
    const cy = cytoscape();
    if (!cy) return;
    cy.elements(".selected").removeClass("selected");
    const node = selected ? cy.getElementById(selected.key) : cy.collection();
    node.addClass("selected");
    if (selected && selected.via) {
      node.edgesWith(cy.getElementById(selected.via)).addClass("selected");
    }
    light(node);
  }

  /* What the pointer is on, in the graph or in a table; null for nothing. */
  flowviz.point = function (element) {
    const cy = cytoscape();
    if (!cy) return;
    cy.elements(".hover").removeClass("hover");
    const there = element && element.length;
    if (there) element.addClass("hover");
    flowviz.markRows(there ? element.id() : null);
    there ? light(element) : mark();
  };

  /* Selects a node by its key; `via` is the node from which one came. */
  flowviz.select = function (key, via) {
    if (!names().SELECTED) return;
    const data = key ? { key, via: via || null } : null;
    window.dash_clientside.set_props(names().SELECTED, { data });
  };
  flowviz.selected = () => selected && selected.key;

  flowviz.show = function (key) {
    const cy = cytoscape();
    const node = cy && cy.getElementById(key);
    if (!node || !node.length) return;
    const box = node.renderedBoundingBox();
    const inside = box.x1 > 0 && box.y1 > 0 && box.x2 < cy.width() && box.y2 < cy.height();
    if (!inside) cy.animate({ center: { eles: node } }, { duration: 200 });
  };

  function tapped(event) {
    const element = event.target;
    taps = [taps[1], element === cytoscape() ? null : element.id()];
    if (element === cytoscape()) return flowviz.select(null);
    const picks = event.originalEvent && event.originalEvent.shiftKey;
    if (picks && element.isNode() && flowviz.pick(element.id())) return undefined;
    if (element.isNode()) return flowviz.select(element.id(), selected && selected.key);
    const from = element.source().id();
    const to = element.target().id();
    return selected && selected.key === from ? flowviz.select(from, to) : flowviz.select(to, from);
  }

  /* Two taps in a row: Cytoscape counts them as one double tap even where each is on a node of its own. */
  function doubleTapped(event) {
    const picks = event.originalEvent && event.originalEvent.shiftKey;
    if (!picks && taps[0] === taps[1]) flowviz.openNode(event.target.id());
  }

  function over(event) {
    const { clientX, clientY } = event.originalEvent || {};
    flowviz.showTooltip(event.target.data("tip"), clientX, clientY);
    flowviz.point(event.target);
    cytoscape().container().style.cursor = "pointer";
  }

  function out() {
    flowviz.hideTooltip();
    flowviz.point(null);
    cytoscape().container().style.cursor = "";
  }

  function attach(cy) {
    if (cy.scratch("_flowviz")) return;
    cy.scratch("_flowviz", true);
    document.getElementById(names().LEGEND).open = cy.width() >= WIDE;
    cy.on("tap", tapped);
    cy.on("dbltap", "node.node", doubleTapped);
    cy.on("mouseover", "node.node, edge", over);
    cy.on("mouseout", "node.node, edge", out);
    cy.on("scrollzoom dragpan pinchzoom", () => {
      moved = true;
      flowviz.hideTooltip();
    });
    cy.container().addEventListener("mouseleave", out);
    cy.on("viewport", () => flowviz.placeAxes(cy));
    new ResizeObserver(() => {
      cy.resize();
      if (cy.width() >= WIDE) document.getElementById(names().LEGEND).open = true;
      if (!moved) frame();
      if (selected && !moved) flowviz.show(selected.key);
      flowviz.placeAxes(cy);
    }).observe(cy.container());
  }

  /* Calls back once the drawn elements are in the canvas. */
  function whenDrawn(drawing, act, left) {
    const cy = cytoscape();
    const there = cy && cy.elements().length === drawing.elements;
    const look = there && cy.getElementById("band:0").data("look");
    if (there && (!drawing.look || look === drawing.look)) return act(cy);
    if (left > 0) requestAnimationFrame(() => whenDrawn(drawing, act, left - 1));
  }

  function drawn(drawing, shown) {
    const keep = window.dash_clientside.no_update;
    if (!drawing) return keep;
    const about = JSON.stringify([shown && shown.prompt, shown && shown.model, drawing.wiring]);
    readable = drawing.readable || 0.72;
    room = drawing.room || null;
    whenDrawn(
      drawing,
      (cy) => {
        attach(cy);
        flowviz.onScreen(true);
        if (about !== frameOf || !moved) frame();
        frameOf = about;
        flowviz.axes(cy);
        mark();
        flowviz.markPicked();
        if (selected) flowviz.show(selected.key);
        document.getElementById(names().CANVAS).dataset.drawn = drawing.run;
      },
      600,
    );
    return keep;
  }

  function choose(data) {
    selected = data || null;
    mark();
    if (selected) flowviz.show(selected.key);
    document.body.classList.toggle("inspecting", Boolean(selected));
    return window.dash_clientside.no_update;
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, {
    drawn,
    choose,
    tools() {
      const trigger = clientside.callback_context.triggered_id || "";
      if (trigger.endsWith("fit")) fit();
      if (trigger.endsWith("zoom-in")) flowviz.zoom(1.25);
      if (trigger.endsWith("zoom-out")) flowviz.zoom(0.8);
      if (trigger.endsWith("fold")) flowviz.fold();
      return clientside.no_update;
    },
    styles(theme, styles) {
      return (styles && styles[theme]) || clientside.no_update;
    },
  });

  document.addEventListener("click", (event) => {
    if (!event.target.classList.contains("to-inspector")) return;
    document.querySelector(".inspector").scrollIntoView({ behavior: "smooth" });
  });

  flowviz.fold = function () {
    document.body.classList.toggle("folded");
  };
})();
