/* The page of contexts: which heads are compared, whose attention is shown, which tokens are masked. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.contexts = flowviz.contexts || {});
  const keep = () => window.dash_clientside.no_update;
  const box = (name) => document.getElementById(page.ids()[name]);

  /* A button that is pressed or not; `data-head` is what it is found by again. */
  function square(text, name, on, head) {
    const button = page.make("button", "", text);
    button.type = "button";
    button.title = name;
    button.dataset.head = head;
    button.setAttribute("aria-label", name);
    button.setAttribute("aria-pressed", String(on));
    return button;
  }

  /* Puts buttons into a box; the one that had the focus has it again. */
  function fill(place, buttons) {
    const focused = place.contains(document.activeElement) && document.activeElement.dataset.head;
    place.replaceChildren(...buttons);
    const again = focused && place.querySelector(`[data-head="${focused}"]`);
    if (again) again.focus();
    return again;
  }

  /* The heads that are compared, where the site is that of heads. */
  page.drawSquares = function () {
    const sizes = page.sizes();
    const chosen = page.parts(page.flat().chosen, ",").map(Number);
    const heads = sizes ? [...Array(sizes.heads).keys()] : [];
    const buttons = heads.map((head) => {
      const on = chosen.includes(head);
      const button = square(String(head), `Head ${head}`, on, head);
      button.classList.toggle("own", !chosen.length);
      button.addEventListener("click", () => {
        const next = on ? chosen.filter((each) => each !== head) : [...chosen, head];
        page.change({ chosen: next.sort((a, b) => a - b).join(",") });
      });
      return button;
    });
    fill(box("SQUARES"), buttons);
  };

  /* All heads: whose attention is shown. */
  page.drawGrid = function () {
    const [sizes, grid] = [page.sizes(), box("GRID")];
    const named = page.parts(page.flat().heads, ",");
    box("GRID_OWN").hidden = !named.length;
    if (!sizes) return;
    document.querySelector(".first-token").hidden = Boolean(sizes.special.length);
    const shown = named.length ? named : sizes.attending.map((each) => each.join("."));
    grid.style.setProperty("--heads", sizes.heads);
    grid.classList.toggle("own", !named.length);
    const rows = [...Array(sizes.layers).keys()].flatMap((layer) => {
      const cells = [...Array(sizes.heads).keys()].map((head) => cell(layer, head, shown, named));
      return [page.make("span", "", `L${layer}`), ...cells];
    });
    const first = fill(grid, rows) || grid.querySelector(`[data-head="${shown[0] || "0.0"}"]`);
    if (first) first.tabIndex = 0; // arrows go to the others
  };

  function cell(layer, head, shown, named) {
    const name = `${layer}.${head}`;
    const button = square("", `L${layer} H${head}`, shown.includes(name), name);
    button.tabIndex = -1;
    button.addEventListener("click", () => {
      const next = named.includes(name) ? named.filter((each) => each !== name) : [...named, name];
      page.change({ heads: next.join(",") });
    });
    return button;
  }

  function contextsOwn(clicks) {
    if (clicks) page.change({ heads: "" });
    return keep();
  }

  const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

  /* From head to head by the keyboard; whether the key was one of its own. */
  page.gridKey = function (event) {
    const [grid, step] = [box("GRID"), ARROWS[event.key]];
    if (!step || !grid.contains(event.target) || !event.target.dataset.head) return false;
    const [layer, head] = event.target.dataset.head.split(".").map(Number);
    const next = grid.querySelector(`[data-head="${layer + step[0]}.${head + step[1]}"]`);
    if (!next) return true;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    return true;
  };

  /* ---- masks ---- */

  function canMask(at) {
    const sizes = page.sizes();
    return Boolean(sizes) && sizes.mayMask && at !== null && !sizes.special.includes(at);
  }

  page.toggleMask = function (at) {
    if (!canMask(at)) return;
    const now = page.parts(page.flat().mask, ",").map(Number);
    const next = now.includes(at) ? now.filter((one) => one !== at) : [...now, at];
    page.change({ mask: next.sort((a, b) => a - b).join(",") });
  };
  page.askedAt = () => (page.sizes() ? page.sizes().position : null);

  page.drawMask = function () {
    const [sizes, button] = [page.sizes(), box("MASK_ONE")];
    button.hidden = !canMask(page.askedAt());
    const on = sizes && sizes.masked.includes(sizes.position);
    button.textContent = on ? "Show it to the model" : "Mask it";
  };

  function contextsMask(clicks) {
    if (clicks) page.toggleMask(page.askedAt());
    return keep();
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { contextsOwn, contextsMask });
})();
