/* The finder over a set of prompts: how its job stands. */
(function () {
  "use strict";
  const keep = () => window.dash_clientside.no_update;
  let settled = null; // the id of the last job that ended

  /* → poll off, progress hidden, stage, bar, what is wrong, the set whose scores are shown */
  function finderSettle(job, standing) {
    if (!job) return [true, true, "", "0", "", null];
    const now = standing && standing.id === job.id ? standing : job;
    const running = now.state === "waiting" || now.state === "running";
    if (running) return [false, false, now.stage || "Starting", String(now.fraction || 0), "", keep()];
    const again = settled === job.id && now !== job;
    settled = job.id;
    const fault = now.state === "done" ? "" : now.error || "Stopped: these are this prompt's scores.";
    return [true, true, "", "0", fault, now.state !== "done" ? null : again ? keep() : job.request];
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { finderSettle });
})();
