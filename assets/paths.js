/* The strongest paths through a node: shares of its flow, followed both ways while they matter. */
(function () {
  "use strict";
  window.flowviz = window.flowviz || {};
  const LEAST = 0.08;

  const amount = (edge) => (edge.data("w") - 0.98) ** 2; // widths grow with the root of the flow

  function follow(node, down, found) {
    const shares = new Map([[node.id(), 1]]);
    const queue = [node];
    while (queue.length) {
      const here = queue.shift();
      const share = shares.get(here.id());
      const edges = down ? here.incomers("edge") : here.outgoers("edge");
      let whole = 0;
      edges.forEach((edge) => {
        whole += amount(edge);
      });
      edges.forEach((edge) => {
        const part = whole ? (share * amount(edge)) / whole : 0;
        const next = down ? edge.source() : edge.target();
        if (part < LEAST && here !== node) return;
        found.add(edge);
        found.add(next);
        if (part >= LEAST && part > (shares.get(next.id()) || 0)) {
          shares.set(next.id(), part);
          queue.push(next);
        }
      });
    }
  }

  /* The nodes and edges of the strongest paths through an element, as a Set. */
  window.flowviz.paths = function (element) {
    const found = new Set([element]);
    const ends = element.isEdge() ? [element.source(), element.target()] : [element, element];
    ends.forEach((end) => found.add(end));
    follow(ends[0], true, found);
    follow(ends[1], false, found);
    return found;
  };

  /* The neighbour in a direction: along the strongest edge that leads there. */
  window.flowviz.neighbour = function (node, dx, dy) {
    const here = node.position();
    let best = null;
    node.connectedEdges().forEach((edge) => {
      const other = edge.source().same(node) ? edge.target() : edge.source();
      const there = other.position();
      const x = there.x - here.x;
      const y = there.y - here.y;
      const along = x * dx + y * dy;
      const across = Math.abs(x * dy) + Math.abs(y * dx);
      if (along <= 0 || (dx && across > 2 * along)) return;
      if (!best || amount(edge) > best.size) best = { size: amount(edge), node: other };
    });
    return best ? best.node : nearest(node, dx, dy);
  };

  /* Where no edge leads in that direction: the nearest node that lies there. */
  function nearest(node, dx, dy) {
    const here = node.position();
    let best = null;
    node.cy().nodes(".node").forEach((other) => {
      if (other.same(node)) return;
      const x = other.position().x - here.x;
      const y = other.position().y - here.y;
      const along = x * dx + y * dy;
      const far = Math.hypot(x, y) + 2 * (Math.abs(x * dy) + Math.abs(y * dx));
      if (along > 1 && (!best || far < best.far)) best = { far, node: other };
    });
    return best ? best.node : null;
  }
})();
