/* The address always says what is drawn, so that a copy of it reproduces the picture. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const LONGEST = 7000; // the Procfile has gunicorn take request lines of up to 8,190

  let link = ""; // the query of what is drawn

  /* Writes the address and the title. */
  flowviz.address = function (shown, more, title) {
    const parts = new URLSearchParams(shown);
    Object.entries(more).forEach(([name, value]) => parts.set(name, value));
    link = parts.toString();
    const there = link.length > LONGEST ? location.pathname : `${location.pathname}?${link}`;
    history.replaceState(history.state, "", there);
    document.title = `${title} · flowviz`;
  };

  function sync(shown, selected, rest, chosen, checkOpen) {
    const keep = window.dash_clientside.no_update;
    if (!shown) return keep;
    const more = {};
    if (selected && selected.key) more.node = selected.key;
    if (rest === false) more.rest = "0";
    Object.assign(more, flowviz.checkInLink(chosen, checkOpen));
    flowviz.address(shown, more, shown.prompt.trim().slice(0, 60));
    flowviz.canOpen(shown);
    document.body.classList.toggle("changed-pass", Boolean(shown.interventions));
    document.body.classList.toggle("opened-nodes", Boolean(shown.opened));
    return keep;
  }

  function fallback(text) {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.appendChild(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }

  async function write(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch (_) {
      fallback(text); // no clipboard without https
    }
  }

  function say(button, words) {
    button.dataset.said = words;
    setTimeout(() => delete button.dataset.said, 1600);
  }

  /* The address, copied by a button that says so. */
  flowviz.copyLink = function (button) {
    write(location.href);
    say(button, "Link copied");
  };

  /* copy-link button */
  function copy(clicks, shown) {
    const keep = window.dash_clientside.no_update;
    const button = document.getElementById(flowviz.names.LINK);
    if (!clicks || !shown) return keep;
    if (link.length > LONGEST) {
      say(button, "Too long for a link: download the JSON");
    } else {
      flowviz.copyLink(button);
    }
    return keep;
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { sync, copy });
})();
