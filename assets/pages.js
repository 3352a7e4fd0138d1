/* The header's links between the flow, its blocks, attention, heads, contexts, factors and comparisons keep prompt, model and target. */
(function () {
  "use strict";
  const KEPT = ["model", "prompt", "token", "contrast", "position"];
  const SHARING = /(^|\/)(inside|compare|attention|head|contexts|factors)?$/; // the ends of those pages' addresses

  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest && event.target.closest(".pages a");
      const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey);
      const here = new URLSearchParams(location.search);
      if (!link || !plain || !here.get("prompt")) return;
      if (!SHARING.test(location.pathname) || !SHARING.test(link.pathname)) return;
      if (link.pathname === location.pathname) return;
      const kept = new URLSearchParams(KEPT.filter((k) => here.has(k)).map((k) => [k, here.get(k)]));
      event.preventDefault();
      event.stopPropagation();
      location.assign(`${link.pathname}?${kept}`);
    },
    true,
  );
})();
