/* A page's question: its scripts change it, its store carries it to the server. Dash hands all
   scripts of a round what the store held when the round began, so one that runs behind a change may
   be handed what was before; what scripts wrote themselves they therefore never read back. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  let turns = 0; // how many changes there were: what has a number was written here

  flowviz.asked = function (store) {
    let form = { flat: {} };
    let opened; // what the page opened with
    return {
      get flat() {
        return form.flat;
      },
      change(next) {
        form = { ...next, turn: ++turns };
        window.dash_clientside.set_props(store(), { data: form });
      },
      take(held) {
        if (!held || held === opened || held.turn) return;
        opened = form = held;
      },
    };
  };
})();
