/* The prompt's tokens as chips above the graph. They are made here, not by Dash: a prompt of a
   thousand tokens would take it seconds, and takes this milliseconds. A click asks about a token, a
   drag chooses which are drawn, arrows walk, the box finds a token or goes to a number. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const MANY = 40; // from here on there is a box to find one
  const LONGEST = 24;
  let shown = null; // what the strip was made of
  let chips = [];
  let dragged = null; // {from, to} while the pointer drags over chips
  let swallow = false; // the click that ends a drag is none

  function make(name, className, text) {
    const element = document.createElement(name);
    element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function chip(text, id, position, tip) {
    const letters = Array.from(text);
    const cut = letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : text;
    const button = make("button", "chip token", cut);
    button.type = "button";
    button.dataset.position = position;
    button.title =
      `${text}\nposition ${position}, token ${id}\n` +
      (tip || "Click to explain what the model says after it; drag over several to draw only those");
    return button;
  }

  function head(count) {
    const box = make("div", "strip-head");
    box.append(make("span", "strip-name", `${count.toLocaleString("en")} tokens`));
    if (count <= MANY) return box;
    const find = make("input", "find");
    find.type = "search";
    find.placeholder = "find, or a number";
    find.setAttribute("aria-label", "Find a token, or go to a position");
    const found = make("span", "found");
    found.setAttribute("role", "status");
    find.addEventListener("input", () => look(find.value, found, 0));
    find.addEventListener("keydown", (event) => {
      if (event.key === "Enter") look(find.value, found, event.shiftKey ? -1 : 1);
    });
    box.append(find, found);
    return box;
  }

  /* Goes to the token of that number, or to the first, next or last before that holds the text. */
  let at = -1;
  function look(text, found, step) {
    chips.forEach((each) => each.classList.remove("hit"));
    found.textContent = "";
    if (!text) return;
    const number = /^\d+$/.test(text) && Number(text) < chips.length ? [Number(text)] : [];
    const wanted = text.replaceAll(" ", "␣").toLowerCase();
    const holds = (word) => word.toLowerCase().includes(wanted);
    const hits = number.length ? number : shown.tokens.flatMap((word, i) => (holds(word) ? [i] : []));
    if (!hits.length) {
      found.textContent = /^\d+$/.test(text) ? `the last is ${chips.length - 1}` : "not there";
      return;
    }
    const later = hits.find((hit) => hit > at);
    const before = hits.filter((hit) => hit < at).pop();
    if (step === 0) at = hits[0];
    else at = step > 0 ? (later ?? hits[0]) : (before ?? hits[hits.length - 1]);
    found.textContent = number.length ? "" : `${hits.indexOf(at) + 1} of ${hits.length}`;
    chips[at].classList.add("hit");
    bring(chips[at]);
  }

  function bring(one) {
    const box = one.parentElement;
    box.scrollTop = one.offsetTop - (box.clientHeight - one.offsetHeight) / 2;
    box.scrollLeft = one.offsetLeft - (box.clientWidth - one.offsetWidth) / 2;
  }

  function build(strip) {
    const box = document.getElementById(flowviz.names.TOKENS);
    const list = make("div", "chips");
    chips = strip.tokens.map((text, i) => chip(text, strip.ids[i], i, strip.tip));
    list.append(...chips);
    listen(list);
    new ResizeObserver(() => shown && list.isConnected && bring(chips[shown.target ?? 0])).observe(list);
    box.replaceChildren(head(chips.length), list);
    at = -1;
  }

  function mark(strip) {
    const drawn = new Set(strip.drawn);
    const [first, last] = strip.span || [0, chips.length - 1];
    const masked = new Set(strip.masked);
    chips.forEach((each, i) => {
      each.classList.toggle("chosen", i === strip.target);
      each.classList.toggle("drawn", drawn.has(i));
      each.classList.toggle("explained", i === strip.explained);
      each.classList.toggle("outside", i < first || i > last);
      each.setAttribute("aria-pressed", String(i === strip.target));
      each.classList.toggle("masked", masked.has(i));
      each.classList.toggle("second", i === strip.second);
      each.tabIndex = i === (strip.target ?? 0) ? 0 : -1;
    });
  }

  /* strip → chips */
  function tokens(strip) {
    const keep = window.dash_clientside.no_update;
    if (!strip) return keep;
    const box = document.getElementById(flowviz.names.TOKENS);
    const same = shown && box.firstChild && shown.tip === strip.tip && String(shown.tokens) === String(strip.tokens);
    const moved = !same || shown.target !== strip.target;
    if (!same) build(strip);
    shown = strip;
    mark(strip);
    if (moved) bring(chips[strip.target ?? 0]);
    return keep;
  }

  const positionOf = (target) => {
    const button = target && target.closest && target.closest(".chip.token");
    return button ? Number(button.dataset.position) : null;
  };

  function paint(span) {
    const [first, last] = span ? [Math.min(...span), Math.max(...span)] : [1, 0];
    chips.forEach((each, i) => each.classList.toggle("in-range", i >= first && i <= last));
  }

  function listen(list) {
    list.addEventListener("pointerdown", (event) => {
      const from = positionOf(event.target);
      swallow = false;
      const spans = Boolean(flowviz.names.POSITIONS); // a page that can draw only some
      if (spans && event.pointerType === "mouse" && event.button === 0 && from !== null) {
        dragged = { from, to: from };
      }
    });
    list.addEventListener("pointerover", (event) => {
      const to = positionOf(event.target);
      if (!dragged || to === null || !(event.buttons & 1)) return;
      dragged.to = to;
      paint(dragged.from === to ? null : [dragged.from, to]);
    });
    list.addEventListener("keydown", walk);
  }

  document.addEventListener("pointerup", () => {
    if (!dragged) return;
    const { from, to } = dragged;
    dragged = null;
    paint(null);
    if (from === to) return;
    swallow = true;
    setTimeout(() => { swallow = false; });
    flowviz.drawOnly(Math.min(from, to), Math.max(from, to));
  });
  document.addEventListener(
    "click",
    (event) => {
      if (!swallow) return;
      swallow = false;
      event.stopPropagation();
    },
    true,
  );

  const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  function walk(event) {
    const step = STEPS[event.key];
    const here = positionOf(event.target);
    if (step === undefined || here === null) return;
    event.preventDefault();
    const next = chips[Math.max(0, Math.min(chips.length - 1, here + step))];
    chips[here].tabIndex = -1;
    next.tabIndex = 0;
    next.focus({ preventScroll: true });
    bring(next);
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { tokens });
})();
