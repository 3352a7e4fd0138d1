/* Is this graph right? From a drawn graph to a check, and from a check to its line and panel.
   `data-state` of the line and of the panel says how it stands: idle, checking, told,
   failed or stopped. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const ids = () => flowviz.pages.check;
  const ASK_AFTER = 300; // milliseconds without another graph
  const FLOW = ["model", "prompt", "token", "contrast", "position"];
  let waiting = null; // the timer until a check is asked for
  let settled = null; // the id of the last job that ended
  let telling = false; // whether the next line is of the graph that is drawn
  let followed = false; // whether the next choice is the page's own

  const keep = () => window.dash_clientside.no_update;
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const trigger = () => window.dash_clientside.callback_context.triggered_id;
  const root = () => document.getElementById(ids().ROOT);
  const differ = (a, b, fields) => fields.some((name) => a[name] !== b[name]);

  const panel = () => document.getElementById(ids().PANEL);

  function stand(state) {
    [root(), panel()].filter(Boolean).forEach((part) => { part.dataset.state = state; });
  }

  /* The controls of the panel → chosen, what is wrong with the other prompt, its box hidden */
  function checkChoose(against, _use, _find, _retry, other, share, chosen) {
    const resample = against === "resample";
    const typed = Boolean(other && other.trim());
    if (trigger() === ids().OTHER_RUN && !typed) {
      return [keep(), "Type the other prompt, at least as long as this one.", false];
    }
    if (trigger() === ids().AGAINST && resample && !typed) {
      setTimeout(() => document.getElementById(ids().OTHER).focus());
      return [keep(), null, false];
    }
    const next = { ...chosen };
    if (trigger() === ids().AGAINST || trigger() === ids().OTHER_RUN) {
      Object.assign(next, { against, other: resample ? other : null });
    } else if (trigger() === ids().SMALLEST_RUN) {
      next.smallest = Number(share) > 0 ? Number(share) / 100 : null;
    }
    const same = trigger() === ids().AGAINST && !differ(next, chosen, ["against", "other"]);
    return [same ? keep() : next, null, !resample];
  }

  /* What of a choice still makes sense for another graph. */
  function fitting(chosen, shown, before) {
    const next = { ...chosen };
    if (differ(shown, before, FLOW)) next.smallest = null;
    if (differ(shown, before, FLOW.slice(0, 2)) && chosen.against === "resample") {
      Object.assign(next, { against: "zero", other: null });
    }
    return differ(next, chosen, ["against", "smallest"]) ? next : null;
  }

  /* A graph is drawn, or something chosen: asks for a check once nothing has come for a moment. */
  function checkAsk(shown, chosen, asked) {
    if (!shown || !chosen) return keep();
    const drawn = trigger() === flowviz.pages.flow.SHOWN;
    const next = drawn && asked ? fitting(chosen, shown, asked.explained) : null;
    if (next) {
      followed = true;
      setProps(ids().CHOSEN, { data: next });
      setProps(ids().AGAINST, { value: next.against });
      return keep();
    }
    const itself = followed || trigger() !== ids().CHOSEN;
    followed = telling = false;
    stand("checking");
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      waiting = null;
      setProps(ids().ASKED, { data: { explained: shown, ...chosen, itself } });
    }, itself ? ASK_AFTER : 0);
    return keep();
  }

  /* How the job stands → poll off, stage, bar, why there is no verdict */
  function checkSettle(job, standing, asked, shown) {
    const now = job && standing && standing.id === job.id ? standing : job;
    if (!now) return [true, "", "0", ""];
    const running = now.state === "waiting" || now.state === "running";
    const fresh = trigger() !== ids().STANDING;
    if (!running && !waiting && (fresh || settled !== job.id)) finish(now, job, asked, shown);
    settled = running ? null : job.id;
    const ended = now.state === "failed" || now.state === "cancelled";
    const fault = ended ? `Not checked: ${now.error || "It was stopped."}` : "";
    return [!running, now.stage || "Starting", String(now.fraction || 0), fault];
  }

  function finish(now, job, asked, shown) {
    if (now.state === "done") {
      telling = true;
      setProps(ids().SHOWN, { data: job.request });
      return;
    }
    const other = !shown || differ(shown, asked.explained, Object.keys(asked.explained));
    if (other) delete panel().dataset.seen; // what the panel shows is another graph's
    const wrong = now.state === "failed" && asked.against === "resample";
    if (wrong) setProps(ids().OTHER, { error: now.error });
    stand(now.state === "failed" ? "failed" : "stopped");
  }

  function checkTold() {
    if (!telling || !panel()) return keep();
    panel().dataset.seen = "yes";
    stand("told");
    return keep();
  }

  /* panel's store → panel hidden */
  function checkOpened(open) {
    document.getElementById(ids().TOGGLE).setAttribute("aria-expanded", String(Boolean(open)));
    if (trigger()) setTimeout(() => panel().scrollIntoView({ block: "nearest" }));
    return !open;
  }

  const keyOf = (event) => event && event.points && event.points[0] && event.points[0].customdata;

  /* A point of the plot lights its node up; a click selects it. */
  function checkPoint(hover) {
    const cy = flowviz.cytoscape();
    const key = keyOf(hover);
    if (cy) flowviz.point(key ? cy.getElementById(key) : null);
    return keep();
  }

  function checkPick(click) {
    const key = keyOf(click);
    if (key) flowviz.select(key);
    return keep();
  }

  /* What the address says of the check. */
  flowviz.checkInLink = function (chosen, open) {
    const { against, other, smallest } = chosen || {};
    const parts = { against: against === "zero" ? null : against, other, smallest };
    const given = Object.entries({ ...parts, check: open ? "1" : null });
    return Object.fromEntries(given.filter(([, value]) => value !== null && value !== undefined));
  };

  flowviz.toggleCheck = function () {
    const button = document.getElementById(ids().TOGGLE);
    if (button) button.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== ids().OTHER || event.key !== "Enter" || event.isComposing) return;
    if (event.shiftKey) return;
    event.preventDefault();
    setTimeout(() => document.getElementById(ids().OTHER_RUN).click()); // after Dash has the text
  });

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, {
    checkChoose,
    checkAsk,
    checkSettle,
    checkTold,
    checkToggle: (_clicks, open) => !open,
    checkOpened,
    checkPoint,
    checkPick,
  });
})();
