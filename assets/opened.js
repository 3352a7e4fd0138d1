/* Opening a node into factors, and closing it: buttons say which, a box beside them by what. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const names = () => flowviz.pages.open;
  let count = 0;

  function edit(data) {
    count += 1;
    window.dash_clientside.set_props(names().EDIT, { data: { ...data, count } });
  }

  function open(button) {
    const box = button.parentElement.querySelector("select.dictionary");
    edit({ do: "open", node: button.dataset.open, dictionary: box ? box.value : null });
  }

  document.addEventListener("click", (event) => {
    if (!document.getElementById(names().BAR)) return;
    const button = event.target.closest && event.target.closest("button");
    if (!button) return;
    const { open: opens, close } = button.dataset;
    if (opens !== undefined) open(button);
    if (close === "all") return edit({ do: "clear" });
    if (close !== undefined) edit({ do: "close", node: close });
  });
})();
