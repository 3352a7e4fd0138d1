/* The page that compares: what is asked for, the swap, what the address says, rows of the table. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const names = () => flowviz.names;
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const keep = () => window.dash_clientside.no_update;
  /* The form, in the order of BOXES in flowviz/ui/compare/browser.py; the first eight are run. */
  const BOXES = [
    "prompt", "b_prompt", "model", "b_model", "interventions", "b_interventions", "donor",
    "b_donor", "token", "contrast", "own", "b_token", "b_contrast", "position",
  ];
  const ASKED = BOXES.slice(0, 8);
  const TWINS = ["interventions", "donor"];

  function tell(text) {
    setProps(names().NOTICE, { data: { title: "That cannot be drawn", text } });
  }

  function fault(form) {
    const wrong = flowviz.promptFault(form.prompt);
    if (wrong) return wrong;
    if (form.b_prompt) {
      const second = flowviz.promptFault(form.b_prompt);
      return second && second.replace("The prompt", "The second prompt");
    }
    const differs = form.b_model || form.interventions || form.b_interventions || form.own;
    if (differs) return null;
    document.getElementById(names().SECOND).focus();
    return "Type the second prompt, or choose another checkpoint or a change in the pass.";
  }

  /* The two sides exchanged. `explained`: what stands for the first's top prediction. */
  function swapped(form, explained) {
    const model = form.b_model || form.model;
    const next = {
      ...form,
      prompt: form.b_prompt || form.prompt,
      b_prompt: form.prompt,
      model,
      b_model: form.model === model ? null : form.model,
      position: form.position && [...form.position].reverse(),
    };
    TWINS.forEach((name) => {
      [next[name], next[`b_${name}`]] = [form[`b_${name}`], form[name]];
    });
    next.token = form.token || explained || null;
    if (form.own) {
      [next.token, next.b_token] = [form.b_token || next.token, next.token];
      [next.contrast, next.b_contrast] = [form.b_contrast, form.contrast];
    }
    return next;
  }

  /* A form's other prompts have other positions. */
  function settled(form, asked) {
    const other = asked && ["prompt", "b_prompt"].some((name) => form[name] !== asked[name]);
    return other ? { ...form, position: null } : form;
  }

  function chosen(trigger, picks, form, examples, drawn, asked) {
    if (trigger && trigger.type) return picks.some(Boolean) ? examples[trigger.index] : null;
    if (trigger === names().SWAP) return swapped(form, drawn && drawn.token);
    return settled(form, asked);
  }

  /* Run, swap, another model, an example → asked, then every box of the form */
  function askCompare(run, swap, model, second, picks, ...rest) {
    const nothing = Array(1 + BOXES.length).fill(keep());
    const values = rest.slice(0, BOXES.length);
    const [asked, examples, drawn] = rest.slice(BOXES.length);
    const form = Object.fromEntries(BOXES.map((name, i) => [name, values[i]]));
    const trigger = window.dash_clientside.callback_context.triggered_id;
    const next = chosen(trigger, picks, form, examples, drawn, asked);
    if (!next) return nothing;
    const whole = Object.fromEntries(ASKED.map((name) => [name, next[name]]));
    const same = asked && ASKED.every((name) => (asked[name] || "") === (whole[name] || ""));
    const box = trigger === names().MODEL || trigger === names().SECOND_MODEL;
    if (box && (same || !asked || !form.prompt)) return nothing;
    const boxes = BOXES.map((name) => (next[name] === form[name] ? keep() : next[name]));
    if (trigger === names().SWAP && !asked) return [keep(), ...boxes];
    const wrong = fault(next);
    if (wrong) {
      tell(wrong);
      return nothing;
    }
    if (next.own || next.b_model || next.interventions || next.b_interventions) unfold();
    return [{ ...whole, count: ((asked && asked.count) || 0) + 1 }, ...boxes];
  }

  function unfold() {
    document.getElementById(names().MORE).open = true;
  }

  flowviz.swap = () => {
    const button = names().SWAP && document.getElementById(names().SWAP);
    if (button) button.click();
  };

  const measureSecond = (prompt, first, second) =>
    flowviz.measured(names().SECOND_TYPED, prompt, second || first);

  function syncCompare(shown, selected, rest, states) {
    if (!shown) return keep();
    const more = {};
    if (selected && selected.key) more.node = selected.key;
    if (rest === false) more.rest = "0";
    if (states) more.states = "1";
    const sides = [shown.prompt, shown.b_prompt].filter(Boolean);
    flowviz.address(shown, more, sides.map((text) => text.trim().slice(0, 40)).join(" | "));
    return keep();
  }

  const row = (target) => target.closest && target.closest(".changed .ag-row[row-id]");

  function openRow(event) {
    const here = row(event.target);
    if (!here) return;
    flowviz.select(here.getAttribute("row-id"));
    const canvas = document.getElementById(names().CANVAS).getBoundingClientRect();
    if (canvas.bottom < 200) {
      document.getElementById(names().CANVAS).scrollIntoView({ behavior: "smooth" });
    }
  }

  document.addEventListener("click", openRow);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter") openRow(event);
    if (event.target.id !== names().SECOND || event.isComposing) return;
    if (event.key === "Escape") event.target.blur();
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    setTimeout(() => document.getElementById(names().RUN).click()); // after Dash has the text
  });
  document.addEventListener("mouseover", (event) => {
    const here = row(event.target);
    const cy = here && flowviz.cytoscape();
    if (cy) flowviz.point(cy.getElementById(here.getAttribute("row-id")));
  });
  document.addEventListener("mouseout", (event) => {
    if (row(event.target)) flowviz.point(null);
  });

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, {
    askCompare,
    measureSecond,
    syncCompare,
  });
})();
