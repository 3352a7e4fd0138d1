/* What had to make room on the server is run again, once in a while. Two callbacks may miss it, and
   the second may say so when it is there again: only where it is missed on and on is the server full. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const MOST = 2; // times in a row
  const AFTER = 5000; // milliseconds without a miss: another row
  let row = 0;
  let running = false;
  let ended = 0;

  flowviz.again = {
    /* Whether what is missed may be run again; tells where it may not. */
    may(what) {
      if (running) return false; // it is on its way
      if (Date.now() - ended >= AFTER) row = 0;
      if (row === MOST) {
        const text = `It had to let go of this ${what}. Run it again in a minute.`;
        const data = { title: "The server is full", text };
        window.dash_clientside.set_props(flowviz.pages.shell.NOTICE, { data });
        return false;
      }
      row += 1;
      running = true;
      return true;
    },
    /* A job has ended, this one or another that came between. */
    end() {
      if (running) ended = Date.now();
      running = false;
    },
  };
})();
