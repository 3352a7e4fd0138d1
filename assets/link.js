/* The address always says what is drawn, so that a copy of it reproduces the picture. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const MOST_IN_LINK = 2000; // characters of a prompt that the analyses' link holds
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
    if (flowviz.names.ANALYSE) {
      window.dash_clientside.set_props(flowviz.names.ANALYSE, { href: analyses(shown) });
    }
    document.title = `${shown.prompt.trim().slice(0, 60)} · flowviz`;
    return keep;
  }

  /* Where this prompt is analysed: as one line of prompts, with its target where one was chosen. */
  function analyses(shown) {
    const marks = { "\\": "\\\\", "\n": "\\n", "\r": "\\n", "\t": "\\t" };
    const line = (text) =>
      text.replace(/\r\n|[\\\n\r\t]/g, (each) => marks[each[0]]).replace(/^#/, "\\#");
    const named = shown.token && !shown.token.startsWith("#");
    const text = line(shown.prompt) + (named ? `\t${line(shown.token)}` : "");
    const parts = new URLSearchParams({ analysis: "target", model: shown.model, text });
    if (text.length > MOST_IN_LINK) {
      parts.delete("text");
      parts.set("left_out", String(text.length));
    }
    return `/analyses?${parts}`;
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
    if (query(shown).length > LONGEST) {
      say(button, "Too long for a link: download the JSON");
    } else {
      flowviz.copyLink(button);
    }
    return keep;
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { sync, copy });
})();
