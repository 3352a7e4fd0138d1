/* From the form to a job, and from a job to a picture. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const names = () => flowviz.names;
  const MOST = 20000;
  const COUNT_AFTER = 250; // milliseconds without another key
  const SIDES = ["prompt", "second", "model", "b_prompt", "b_model"]; // another one has other nodes
  let settled = null; // the id of the last job that ended
  let drawn = null; // the request of the last picture
  let busy = false; // a job runs
  const counting = {}; // the timer of each box until what is typed is counted

  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const keep = () => window.dash_clientside.no_update;

  function tell(title, text) {
    setProps(names().NOTICE, { data: { title, text } });
  }

  /* What is wrong with a prompt, or null. */
  function fault(prompt) {
    if (!prompt) {
      return "The prompt is empty. Type some text, or pick an example.";
    }
    if (prompt.length > MOST) {
      const length = prompt.length.toLocaleString("en");
      return `The prompt has ${length} characters; at most 20,000 are taken. Shorten it.`;
    }
    return null;
  }
  flowviz.promptFault = fault;

  /* What is asked for: by Run, by another model, by an example; null where it is nothing new. */
  flowviz.question = function (model, picks, prompt, asked, examples) {
    const trigger = window.dash_clientside.callback_context.triggered_id;
    const picked = trigger && trigger.type ? examples[trigger.index] : null;
    const next = { prompt: picked ? picked.prompt : prompt, model: picked ? picked.model : model };
    const unchanged = asked && asked.prompt === next.prompt && asked.model === next.model;
    if (trigger && trigger.type && !picks.some(Boolean)) return null;
    const boxes = typeof trigger === "string" && trigger !== names().RUN;
    if (boxes && (unchanged || !next.prompt)) return null;
    const wrong = fault(next.prompt);
    if (wrong) {
      tell("That cannot be drawn", wrong);
      return null;
    }
    next.count = ((asked && asked.count) || 0) + 1;
    const other = !asked || asked.prompt !== next.prompt;
    return { next, picked, other, otherModel: !asked || asked.model !== next.model };
  };

  /* → asked, prompt, model, target, contrast, position, layers, positions */
  function ask(run, model, picks, prompt, asked, examples, layersEnd, positionsEnd) {
    const question = flowviz.question(model, picks, prompt, asked, examples);
    if (!question) return Array(8).fill(keep());
    const { next, picked, other, otherModel } = question;
    return [
      next,
      picked ? picked.prompt : keep(),
      picked ? picked.model : keep(),
      picked ? picked.target : keep(),
      picked ? picked.contrast : keep(),
      other || picked ? null : keep(),
      otherModel ? [0, layersEnd] : keep(),
      other || otherModel ? [0, positionsEnd] : keep(),
    ];
  }

  /* How the job stands → poll off, progress hidden, stage, bar, cancel off */
  function settle(job, standing) {
    const now = job && standing && standing.id === job.id ? standing : job;
    if (!now) return [true, true, "", "0"];
    const running = now.state === "waiting" || now.state === "running";
    const fresh = window.dash_clientside.callback_context.triggered_id !== names().STANDING;
    if (!running && (fresh || settled !== job.id)) finish(now, job.request);
    busy = running;
    settled = running ? null : job.id;
    return [!running, !running, now.stage || "", String(now.fraction || 0)];
  }

  function finish(now, request) {
    flowviz.again.end();
    if (now.state === "failed") {
      tell("That cannot be drawn", now.error || "The run failed. Run the prompt again.");
    } else if (now.state === "cancelled") {
      tell("Cancelled", "The run was stopped; the last picture stands.");
    } else {
      setProps(names().NOTICE, { data: null });
      const differs = (what) => drawn && drawn[what] !== request[what];
      if (SIDES.some(differs) || (names().BLOCKS && differs("layers"))) {
        setProps(names().SELECTED, { data: null });
      }
      drawn = request;
      setProps(names().SHOWN, { data: request });
    }
  }

  /* A page that opens: what is wrong with its link, what its link selects → opened */
  function opened(wrong, selected) {
    settled = null;
    drawn = null;
    flowviz.again.end();
    setProps(names().NOTICE, { data: wrong || null });
    window.dash_clientside.flowviz.choose(selected);
    return true;
  }

  /* What is typed goes to the server to be counted, once no key has come for a moment → typed */
  flowviz.measured = function (store, prompt, model) {
    clearTimeout(counting[store]);
    const text = prompt || "";
    const data = { prompt: text.length > MOST ? "" : text, model, characters: text.length };
    if (!window.dash_clientside.callback_context.triggered_id) return data; // the page opens
    counting[store] = setTimeout(() => setProps(store, { data }), COUNT_AFTER);
    return keep();
  };
  const measure = (prompt, model) => flowviz.measured(names().TYPED, prompt, model);

  /* A picture that had to make room on the server is run again. */
  function renew(_when, shown) {
    if (busy || !shown || !flowviz.again.may("picture")) return keep();
    setProps(names().AGAIN, { data: { request: shown, count: Date.now() } });
    return keep();
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, {
    ask,
    settle,
    opened,
    measure,
    renew,
  });

  document.addEventListener("click", (event) => {
    const chip = event.target.closest && event.target.closest("button");
    if (!chip || !names().TOKENS) return;
    const { token, contrast, position } = chip.dataset;
    const pressed = chip.getAttribute("aria-pressed") === "true";
    if (token !== undefined) {
      setProps(event.shiftKey ? names().CONTRAST : names().TARGET, { value: token });
    } else if (contrast !== undefined) {
      setProps(names().CONTRAST, { value: pressed ? null : contrast });
    } else if (position !== undefined) {
      const explains = event.shiftKey && names().EXPLAINED;
      setProps(explains || names().POSITION, { data: Number(position) });
    } else if (chip.dataset.clear !== undefined) {
      window.flowviz.select(null);
    } else if (chip.dataset.node !== undefined) {
      window.flowviz.select(chip.dataset.node);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== names().PROMPT || event.key !== "Enter" || event.isComposing) return;
    if (event.shiftKey) return;
    event.preventDefault();
    setTimeout(() => document.getElementById(names().RUN).click()); // after Dash has the text
  });

  const functions = (window.dashMantineFunctions = window.dashMantineFunctions || {});
  functions.flowvizShowAll = ({ options }) => options;
  functions.flowvizLayer = (value) => `layer ${value}`;
  functions.flowvizPosition = (value) => {
    const chip = document.querySelector(`#${names().TOKENS} [data-position="${value}"]`);
    return chip ? `${value} ${chip.textContent}` : String(value);
  };
  functions.flowvizPercent = (value) => `${Math.round(100 * value)}%`;
})();
