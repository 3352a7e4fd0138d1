/* Prompts from a file, opened or dropped on the box; read here, never uploaded. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const MOST_CHARACTERS = 200000;
  const ids = () => flowviz.pages.analyses;
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const byId = (id) => document.getElementById(id);
  const notice = (data) => setProps(flowviz.pages.shell.NOTICE, { data });

  async function read(file) {
    if (file.size > 4 * MOST_CHARACTERS) {
      throw new Error(`It has ${file.size.toLocaleString("en")} bytes; give a shorter one.`);
    }
    const bytes = await file.arrayBuffer();
    let text;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (_) {
      throw new Error("It is no text in UTF-8. Save it as a text file with that encoding.");
    }
    if (text.length > MOST_CHARACTERS) {
      const length = text.length.toLocaleString("en");
      throw new Error(`It has ${length} characters; at most 200,000 are taken.`);
    }
    return text;
  }

  async function take(file) {
    try {
      const text = await read(file);
      setProps(ids().SOURCE, { value: "own" });
      setProps(ids().TEXT, { value: text });
      notice(null);
    } catch (error) {
      notice({ title: "That file cannot be read", text: `${file.name}: ${error.message}` });
    }
  }

  function choose() {
    const picker = document.createElement("input");
    picker.type = "file";
    picker.accept = ".txt,.tsv,text/plain,text/tab-separated-values";
    picker.addEventListener("change", () => picker.files[0] && take(picker.files[0]));
    picker.click();
  }

  const overText = (event) => event.target.closest && event.target.closest(`#${ids().ROOT} .prompts`);
  const holdsFile = (event) =>
    event.dataTransfer && Array.from(event.dataTransfer.types).includes("Files");

  document.addEventListener("dragover", (event) => {
    const box = byId(ids().ROOT);
    if (!box || !holdsFile(event)) return;
    event.preventDefault(); // a file that misses the box would open in place of the page
    const over = overText(event);
    event.dataTransfer.dropEffect = over ? "copy" : "none";
    box.classList.toggle("dropping", Boolean(over));
  });
  document.addEventListener("dragleave", (event) => {
    const box = byId(ids().ROOT);
    if (box && !event.relatedTarget) box.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    const box = byId(ids().ROOT);
    if (!box || !holdsFile(event)) return;
    event.preventDefault();
    box.classList.remove("dropping");
    if (overText(event) && event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });

  function insertTab() {
    const area = byId(ids().TEXT);
    area.focus();
    document.execCommand("insertText", false, "\t");
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("button");
    if (!button || !byId(ids().ROOT)) return;
    if (button.id === ids().FILE) choose();
    if (button.dataset.insertTab) insertTab();
  });
})();
