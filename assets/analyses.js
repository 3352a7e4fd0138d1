/* The analyses page: from a job to a result, and the address that says what is shown. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const ids = () => flowviz.pages.analyses;
  const MOST_CHARACTERS = 200000;
  const MOST_IN_LINK = 2000; // characters of prompts
  const LONGEST_LINK = 3900; // of the query: gunicorn refuses a request line of more than 4,094
  const COUNT_AFTER = 250; // milliseconds without another key
  const FIRST_WITHIN = 2000;
  let settled = null; // the id of the last job that ended
  let counting = null; // the timer until what is typed is counted

  const keep = () => window.dash_clientside.no_update;
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const trigger = () => window.dash_clientside.callback_context.triggered_id;
  const byId = (id) => document.getElementById(id);
  const tell = (title, text) => setProps(flowviz.pages.shell.NOTICE, { data: { title, text } });

  /* What is chosen shows by the root's class which fields there are → class */
  function analysesFields(analysis, source) {
    return `workbench analyses is-${analysis} asks-${source}`;
  }

  /* How the job stands → poll off, progress hidden, stage, bar */
  function analysesSettle(job, standing, asked, analysis) {
    const now = job && standing && standing.id === job.id ? standing : job;
    if (!now) return [true, true, "", "0"];
    const running = now.state === "waiting" || now.state === "running";
    const fresh = trigger() !== ids().STANDING;
    if (!running && (fresh || settled !== job.id)) finish(now, asked, analysis);
    settled = running ? null : job.id;
    return [!running, !running, now.stage || "", String(now.fraction || 0)];
  }

  function finish(now, asked, analysis) {
    flowviz.again.end();
    if (now.state === "failed") {
      tell("That cannot be run", now.error || "The run failed. Run it again.");
    } else if (now.state === "cancelled") {
      tell("Cancelled", "The run was stopped; what was shown before stands.");
    } else {
      setProps(flowviz.pages.shell.NOTICE, { data: null });
      if (asked && asked.analysis === analysis) setProps(ids().SHOWN, { data: asked });
    }
  }

  /* A page that opens: what is wrong with its link → opened */
  function analysesOpened(wrong) {
    settled = null;
    flowviz.again.end();
    setProps(flowviz.pages.shell.NOTICE, { data: wrong || null });
    document.title = "Analyses · flowviz";
    return true;
  }

  /* What is typed goes to the server to be counted, once no key has come for a moment → typed */
  function analysesMeasure(source, set, group, text) {
    clearTimeout(counting);
    const own = source === "own" ? text || "" : "";
    const sent = own.length > MOST_CHARACTERS ? "" : own;
    const data = { source, set, group, text: sent, characters: own.length };
    if (trigger() !== ids().TEXT) return data;
    counting = setTimeout(() => setProps(ids().TYPED, { data }), COUNT_AFTER);
    return keep();
  }

  /* A result that had to make room on the server is run again. */
  function analysesRenew(_when, shown) {
    if (!shown || !flowviz.again.may("result")) return keep();
    return { request: shown, count: Date.now() };
  }

  function query(shown, norm, openIn) {
    const parts = new URLSearchParams(shown);
    const text = shown.text || "";
    const cut = text.length > MOST_IN_LINK || parts.toString().length > LONGEST_LINK;
    if (cut) {
      parts.delete("text");
      parts.set("left_out", String(text.length));
    }
    if (shown.analysis === "norms" && norm) parts.set("norm", norm);
    const fits = openIn && encodeURIComponent(openIn).length <= LONGEST_LINK;
    if (shown.analysis === "search" && fits) parts.set("prompt", openIn);
    return [parts.toString(), cut ? text.length : 0];
  }

  /* The address always says what is shown, so that a copy of it reproduces that → the note on
     what it leaves out */
  function analysesSync(shown, norm, openIn, analysis, model) {
    if (!shown && trigger() !== ids().SHOWN) return keep();
    const [text, cut] = query(shown || { analysis, model }, norm, openIn);
    history.replaceState(history.state, "", `${location.pathname}?${text}`);
    if (!cut) return "";
    return (
      `The link leaves out your prompts: with ${cut.toLocaleString("en")} characters they are ` +
      "too long for it. Whoever opens it puts them in again."
    );
  }

  function analysesCopy(clicks) {
    if (!clicks) return keep();
    flowviz.copyLink(byId(ids().LINK));
    return keep();
  }

  /* A click on a chart over all norms → the norm */
  function analysesPick(clicks) {
    const hit = window.dash_clientside.callback_context.triggered[0];
    const point = hit && hit.value && hit.value.points && hit.value.points[0];
    return point && typeof point.customdata === "string" ? point.customdata : keep();
  }

  function analysesChosen(norm) {
    return norm || keep();
  }

  /* Where the flow page's prompt is analysed: as one line, with its target where one was chosen. */
  function analysesOf(shown) {
    if (!shown) return keep();
    const marks = { "\\": "\\\\", "\n": "\\n", "\r": "\\n", "\t": "\\t" };
    const line = (text) =>
      text.replace(/\r\n|[\\\n\r\t]/g, (each) => marks[each[0]]).replace(/^#/, "\\#");
    const named = shown.token && !shown.token.startsWith("#");
    const text = line(shown.prompt) + (named ? `\t${line(shown.token)}` : "");
    return `/analyses?${query({ analysis: "target", model: shown.model, text })[0]}`;
  }

  /* Enter takes the first token that is offered, once those are offered that match the text. */
  function chooseFirst(box, typed, since) {
    const list = byId(box.getAttribute("aria-controls") || "");
    const offered = list ? [...list.querySelectorAll("[role=option]")] : [];
    if (box.value !== typed || offered.some((each) => each.dataset.comboboxSelected)) return;
    const text = (each) => each.textContent.replaceAll("␣", " ").toLowerCase();
    const wanted = typed.toLowerCase();
    const fits =
      offered.find((each) => text(each).startsWith(wanted)) ||
      offered.find((each) => text(each).includes(wanted.trim()));
    if (fits) fits.click();
    else if (Date.now() - since < FIRST_WITHIN) setTimeout(chooseFirst, 50, box, typed, since);
  }

  document.addEventListener("keydown", (event) => {
    if (!byId(ids().ROOT) || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      setTimeout(() => byId(ids().RUN).click()); // after Dash has the text
    } else if (event.key === "Enter" && event.target.id === ids().TOKEN) {
      chooseFirst(event.target, event.target.value, Date.now());
    }
  });

  function picked(event) {
    if (event.target.id === ids().MODEL) setProps(ids().PICKING, { data: Date.now() });
  }
  document.addEventListener("focusin", picked);
  document.addEventListener("click", picked);

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, {
    analysesFields, analysesSettle, analysesOpened, analysesMeasure, analysesRenew, analysesSync,
    analysesCopy, analysesPick, analysesChosen, analysesOf,
  });
})();
