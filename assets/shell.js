/* Light and dark, the visitor's name, notices, help. */
(function () {
  "use strict";
  const KEY = "flowviz-theme";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function remembered() {
    try {
      return localStorage.getItem(KEY);
    } catch (_) {
      return null; // storage is switched off
    }
  }

  function current() {
    const kept = remembered();
    return kept === "light" || kept === "dark" ? kept : system.matches ? "dark" : "light";
  }

  function show(theme) {
    root.setAttribute("data-mantine-color-scheme", theme);
    return theme;
  }

  function visitor() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function markPage() {
    document.querySelectorAll(".pages a").forEach((link) => {
      const here = link.pathname === location.pathname;
      here ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
    });
  }

  ["popstate", "_dashprivate_pushstate"].forEach((moved) => {
    window.addEventListener(moved, () => setTimeout(markPage));
  });
  show(current());
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.shell = {
    /* button → theme store, provider, visitor */
    start(clicks, theme, name) {
      let next = current();
      if (clicks && theme) {
        next = theme === "dark" ? "light" : "dark";
        try {
          localStorage.setItem(KEY, next);
        } catch (_) {
          /* not remembered */
        }
      }
      setTimeout(markPage);
      return [show(next), next, name || visitor()];
    },
    /* notice → box, title, text */
    notice(data) {
      return data ? [false, data.title, data.text] : [true, "", ""];
    },
    dismiss() {
      return null;
    },
    help() {
      return true;
    },
  };
  system.addEventListener("change", () => {
    if (!remembered()) {
      clientside.set_props("shell-theme", { data: show(current()) });
      clientside.set_props("shell-provider", { forceColorScheme: current() });
    }
  });
})();
