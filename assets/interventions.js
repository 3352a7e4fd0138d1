/* Changing the pass: buttons and sliders say what, the parts around them say to what; and nodes that
   are picked in the graph to be changed together. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const names = () => flowviz.pages.change;
  const KINDS = ["embed", "pos_embed", "resid_pre", "resid_mid", "resid_final", "head", "neuron", "bias"];
  const SETTLED = 250; // milliseconds without another key on a slider
  const picked = new Set();
  let count = 0;
  let turning = null; // the timer until a slider rests

  function edit(data) {
    count += 1;
    window.dash_clientside.set_props(names().EDIT, { data: { ...data, count } });
  }

  /* The parts that a button or a slider is about, as an intervention writes them. */
  function around(element) {
    const box = element.closest("[data-sites]");
    const select = box && box.querySelector("select.scope");
    return { box, sites: select ? select.value : box && box.dataset.sites };
  }

  function set(element, how) {
    const { box, sites } = around(element);
    if (!sites) return;
    const text = box.querySelector("textarea");
    edit({ do: "set", sites, how, donor: how === "donor" && text ? text.value : null });
    if (box.id === names().PARTS) flowviz.unpick();
    close(null);
  }

  /* The activation that was typed beside a button; the server says what is wrong with it. */
  function clampedTo(button) {
    const typed = button.closest(".clamp").querySelector("input").value;
    return `clamp:${typed.trim().replace("−", "-").replace(",", ".")}`;
  }

  function undo(button) {
    if (button.dataset.undo === "all") return edit({ do: "clear" });
    const own = button.closest("[data-sites]");
    return edit({ do: "undo", sites: own.dataset.sites });
  }

  function donor(button) {
    edit({ do: "donor", donor: button.closest("[data-sites]").querySelector("textarea").value });
    close(null);
  }

  /* Closes what popped up, but for what holds an element. */
  function close(element) {
    document.querySelectorAll("details.pop[open]").forEach((pop) => {
      if (!element || !pop.contains(element)) pop.open = false;
    });
  }

  document.addEventListener("click", (event) => {
    if (!document.getElementById(names().PARTS)) return;
    close(event.target);
    const button = event.target.closest && event.target.closest("button");
    if (!button) return;
    const { how, clamp, undo: undoes, donor: uses, aside, part, parts } = button.dataset;
    if (how !== undefined) set(button, how);
    if (clamp !== undefined) set(button, clampedTo(button));
    if (undoes !== undefined) undo(button);
    if (uses !== undefined) donor(button);
    if (aside !== undefined) edit({ do: aside });
    if (part !== undefined) flowviz.pick(part);
    if (parts === "clear") flowviz.unpick();
  });

  /* ---- sliders: they tell while they turn, and act when they rest ---- */

  const slider = (element) => element.closest && element.closest(".scale input[type=range]");

  document.addEventListener("input", (event) => {
    const turned = slider(event.target);
    if (!turned) return;
    clearTimeout(turning);
    const words = `× ${Number(turned.value)}`.replace("-", "−");
    turned.closest(".scale").querySelector("output").textContent = words;
  });
  document.addEventListener("change", (event) => {
    const turned = slider(event.target);
    if (!turned) return;
    clearTimeout(turning);
    turning = setTimeout(() => set(turned, String(Number(turned.value))), SETTLED);
  });

  /* Enter takes the activation that was typed. */
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches && event.target.matches(".clamp input");
    if (event.key !== "Enter" || !typing) return;
    event.preventDefault();
    event.target.closest(".clamp").querySelector("button").click();
  });

  /* Enter takes the other prompt; Escape closes the box. */
  document.addEventListener("keydown", (event) => {
    if (!event.target.closest || !event.target.closest("details.pop")) return;
    const typing = event.target.matches("textarea") && !event.isComposing;
    if (event.key === "Enter" && typing && !event.shiftKey) {
      event.preventDefault();
      const after = event.target.closest("details.pop").querySelector("[data-how=donor], [data-donor]");
      setTimeout(() => after.click()); // after Dash has the text
    }
    if (event.key === "Escape") {
      const pop = event.target.closest("details.pop");
      pop.open = false;
      pop.querySelector("summary").focus();
      event.stopPropagation();
    }
  }, true);

  /* ---- nodes that are picked together ---- */

  /* Picks a node, or lets it go; false where the page picks none. */
  flowviz.pick = function (key) {
    if (!document.getElementById(names().PARTS)) return false;
    if (!key || !KINDS.includes(key.split(":")[0])) return true;
    picked.has(key) ? picked.delete(key) : picked.add(key);
    flowviz.markPicked();
    return true;
  };

  flowviz.unpick = function () {
    picked.clear();
    flowviz.markPicked();
  };

  /* Shows what is picked, in the graph and in the bar. */
  flowviz.markPicked = function () {
    const cy = flowviz.cytoscape();
    const bar = document.getElementById(names().PARTS);
    if (!cy || !bar) return picked.clear();
    cy.batch(() => {
      cy.nodes(".picked").removeClass("picked");
      picked.forEach((key) => cy.getElementById(key).addClass("picked"));
    });
    bar.hidden = !picked.size;
    bar.dataset.sites = Array.from(picked).join(",");
    const words = picked.size === 1 ? "1 node picked" : `${picked.size} nodes picked`;
    document.getElementById(names().PARTS_COUNT).textContent = words;
  };

  /* ---- the button of a table's row ---- */

  const components = (window.dashAgGridComponentFunctions =
    window.dashAgGridComponentFunctions || {});
  components.FlowvizCut = function ({ data, value }) {
    if (!value) return null;
    const cut = value === "cut";
    const words = cut ? "Cut this edge (path patching)" : "Undo the cut";
    const what = cut ? { "data-how": "0" } : { "data-undo": "1" };
    return window.React.createElement(
      "button",
      { type: "button", className: "cut", title: words, "aria-label": words,
        "data-sites": data.edge, "aria-pressed": !cut, ...what },
      cut ? "✂" : "↶",
    );
  };

  /* Enter on the cell does what its button does. */
  document.addEventListener("keydown", (event) => {
    const cell = event.key === "Enter" && event.target.closest && event.target.closest('[col-id="cut"]');
    const button = cell && cell.querySelector("button");
    if (!button || event.target === button) return;
    event.stopPropagation();
    button.click();
  }, true);
})();
