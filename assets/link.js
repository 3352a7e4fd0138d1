/* The address always says what is drawn, so that a copy of it reproduces the picture. */
(function () {
  "use strict";
  const LONGEST = 7000; // servers refuse much longer request lines

  function query(shown, selected, rest) {
    const parts = new URLSearchParams(shown);
    if (selected && selected.key) parts.set("node", selected.key);
    if (rest === false) parts.set("rest", "0");
    return parts.toString();
  }

  function sync(shown, selected, rest) {
    const keep = window.dash_clientside.no_update;
    if (!shown) return keep;
    const text = query(shown, selected, rest);
    const link = text.length > LONGEST ? location.pathname : `${location.pathname}?${text}`;
    history.replaceState(history.state, "", link);
    document.title = `${shown.prompt.trim().slice(0, 60)} · flowviz`;
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

  /* copy-link button */
  function copy(clicks, shown) {
    const keep = window.dash_clientside.no_update;
    const button = document.getElementById(window.flowviz.names.LINK);
    if (!clicks || !shown) return keep;
    if (query(shown).length > LONGEST) {
      say(button, "Too long for a link: download the JSON");
    } else {
      write(location.href);
      say(button, "Link copied");
    }
    return keep;
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { sync, copy });
})();
