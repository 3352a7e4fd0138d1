/* Both prompts' tokens in columns: one token where they agree, two where they differ. Made here, not
   by Dash, as the tokens of one prompt are. A click asks about the prediction after a column; arrows
   walk; a button goes from difference to difference. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const MANY = 40; // from here on there is a button to the next difference
  const LONGEST = 24;
  const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  let shown = null; // what the columns were made of
  let buttons = [];

  function make(name, className, text) {
    const element = document.createElement(name);
    element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function cut(text) {
    const letters = Array.from(text);
    return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : text;
  }

  function look(column) {
    if (column.same) return "column";
    const [first, second] = column.texts;
    return first === null || second === null ? "column differs alone" : "column differs";
  }

  function build(column, i) {
    const button = make("button", look(column));
    const texts = column.same ? column.texts.slice(0, 1) : column.texts;
    button.append(...texts.map((text) => make("span", text === null ? "none" : "", cut(text ?? "–"))));
    button.type = "button";
    button.dataset.column = i;
    const pair = column.at.every((at) => at !== null);
    button.title = `${column.tip}\n${
      pair ? "Click to explain what the model says after it on both sides" : "Only one prompt has a token here"
    }`;
    button.setAttribute("aria-label", `${column.words}${column.same ? "" : ", differs"}`);
    return button;
  }

  function head(columns, differing) {
    const box = make("div", "strip-head");
    const words = differing ? `${differing.toLocaleString("en")} differ${differing === 1 ? "s" : ""}` : "none differs";
    box.append(make("span", "strip-name", `${columns.toLocaleString("en")} columns, ${words}`));
    if (columns > MANY && differing) {
      const next = make("button", "small", "next difference");
      next.type = "button";
      next.addEventListener("click", () => bring(after()));
      box.append(next);
    }
    return box;
  }

  let at = -1;
  function after() {
    const differing = buttons.filter((each) => each.classList.contains("differs"));
    const next = differing.find((each) => Number(each.dataset.column) > at) || differing[0];
    at = Number(next.dataset.column);
    buttons.forEach((each) => each.classList.toggle("hit", each === next));
    return next;
  }

  function bring(one) {
    const box = one.parentElement;
    box.scrollTop = one.offsetTop - (box.clientHeight - one.offsetHeight) / 2;
    box.scrollLeft = one.offsetLeft - (box.clientWidth - one.offsetWidth) / 2;
  }

  function isExplained(column) {
    return column.explained.some(Boolean);
  }

  function mark(strip) {
    const drawn = new Set(strip.drawn);
    const last = strip.columns.findIndex(isExplained);
    buttons.forEach((button, i) => {
      const chosen = isExplained(strip.columns[i]);
      button.classList.toggle("chosen", chosen);
      button.classList.toggle("drawn", drawn.has(i));
      button.setAttribute("aria-pressed", String(chosen));
      button.tabIndex = i === last ? 0 : -1;
    });
    return last;
  }

  const textsOf = (strip) => JSON.stringify(strip.columns.map((column) => [column.texts, column.at]));

  /* strip → columns */
  function columns(strip) {
    const keep = window.dash_clientside.no_update;
    if (!strip) return keep;
    const box = document.getElementById(flowviz.names.TOKENS);
    const other = !shown || !box.firstChild || textsOf(shown) !== textsOf(strip);
    if (other) {
      const list = make("div", "chips columns");
      buttons = strip.columns.map(build);
      list.append(...buttons);
      list.addEventListener("keydown", walk);
      box.replaceChildren(head(buttons.length, strip.differing), list);
      at = -1;
    }
    shown = strip;
    const explained = buttons[mark(strip)];
    const differing = other && buttons.find((each) => each.classList.contains("differs"));
    if (differing || explained) bring(differing || explained);
    return keep;
  }

  const columnOf = (target) => {
    const button = target && target.closest && target.closest(".column");
    return button ? Number(button.dataset.column) : null;
  };

  document.addEventListener("click", (event) => {
    const here = columnOf(event.target);
    if (here === null || !shown || !flowviz.names.SECOND) return;
    const { at: pair } = shown.columns[here];
    if (pair.some((each) => each === null)) return;
    window.dash_clientside.set_props(flowviz.names.POSITION, { data: pair });
  });

  function walk(event) {
    const step = STEPS[event.key];
    const here = columnOf(event.target);
    if (step === undefined || here === null) return;
    event.preventDefault();
    const next = buttons[Math.max(0, Math.min(buttons.length - 1, here + step))];
    buttons[here].tabIndex = -1;
    next.tabIndex = 0;
    next.focus({ preventScroll: true });
    bring(next);
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { columns });
})();
