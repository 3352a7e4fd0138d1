/* The page of an opened block: what is asked for, which blocks, what the address says. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const names = () => flowviz.names;
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const keep = () => window.dash_clientside.no_update;
  const MOST_BLOCKS = 6; // as in flowviz/inside/request.py
  let blocks = [0, 0];
  let last = null; // the last block that the model has, once that is known

  /* Run, another model, an example → asked, prompt, model, target, contrast, the target's position,
     the opened position, blocks */
  function askInside(run, model, picks, prompt, asked, examples) {
    const question = flowviz.question(model, picks, prompt, asked, examples);
    if (!question) return Array(8).fill(keep());
    const { next, picked, other, otherModel } = question;
    return [
      next,
      picked ? picked.prompt : keep(),
      picked ? picked.model : keep(),
      picked ? picked.target : keep(),
      picked ? picked.contrast : keep(),
      other || picked ? null : keep(),
      other || picked ? null : keep(),
      otherModel ? [0, 0] : keep(),
    ];
  }

  flowviz.openBlocks = function (first, end) {
    if (!names().BLOCKS || first < 0 || (last !== null && end > last)) return;
    setProps(names().BLOCKS, { data: [first, end] });
  };
  flowviz.stepBlock = (by) => flowviz.openBlocks(blocks[0] + by, blocks[1] + by);

  /* The buttons for the block below and above. */
  function step() {
    const trigger = window.dash_clientside.callback_context.triggered_id || "";
    if (trigger.endsWith("up")) flowviz.stepBlock(1);
    if (trigger.endsWith("down")) flowviz.stepBlock(-1);
    return keep();
  }

  function told(text) {
    setProps(names().NOTICE, { data: { title: "That cannot be drawn", text } });
    return keep();
  }

  /* Two numbers that were typed: the one that was not follows where they cross. */
  function typedBlocks(first, end) {
    const whole = [first, end].every((each) => Number.isInteger(each) && each >= 0);
    if (!whole || (first === blocks[0] && end === blocks[1])) return keep();
    const [from, to] =
      first <= end ? [first, end] : first !== blocks[0] ? [first, first] : [end, end];
    if (last !== null && to > last) {
      return told(`There is no block ${to}: the last is ${last}. Choose within 0 to ${last}.`);
    }
    if (to - from >= MOST_BLOCKS) {
      return told(`Blocks ${from} to ${to} are too many: open at most ${MOST_BLOCKS} at once.`);
    }
    flowviz.openBlocks(from, to);
    return keep();
  }

  /* The opened blocks → both numbers, whether there is none below, none above */
  function showBlocks(opened, drawn) {
    blocks = opened || [0, 0];
    last = drawn ? drawn.layers : null;
    return [blocks[0], blocks[1], blocks[0] <= 0, last !== null && blocks[1] >= last];
  }

  function syncInside(shown, selected, colour, width) {
    if (!shown) return keep();
    const more = {};
    if (selected && selected.key) more.node = selected.key;
    if (colour && colour !== "rank") more.colour = colour;
    if (width && width !== "flow") more.width = width;
    const [from, to] = shown.layers.split("-");
    const which = from === to ? `Block ${from}` : `Blocks ${from} to ${to}`;
    flowviz.address(shown, more, `${which}: ${shown.prompt.trim().slice(0, 50)}`);
    return keep();
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, {
    askInside,
    step,
    typedBlocks,
    blocks: showBlocks,
    syncInside,
  });
})();
