/* Which tokens and layers are drawn: two sliders, two numbers, the target's column, all. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const names = () => flowviz.names;
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const keep = () => window.dash_clientside.no_update;
  let drawing = null; // what is drawn now

  /* The ends of the range sliders follow the picture; so does a range that is no choice.
     → layers' end, positions' end */
  function ranges(drawn, layers, layersEnd, positions, positionsEnd) {
    if (!drawn) return [keep(), keep()];
    drawing = drawn;
    follow(names().LAYERS, layers, layersEnd, drawn.layers, drawn.layerSpan);
    follow(names().POSITIONS, positions, positionsEnd, drawn.positions, drawn.positionSpan);
    return [drawn.layers, drawn.positions];
  }

  /* Where the slider says something else than the picture, it was moved since that was asked for:
     it stays, and a picture of it is on its way. */
  function follow(slider, old, oldEnd, end, drawn) {
    const chosen = old[0] !== 0 || old[1] !== oldEnd ? old : null;
    const moved = JSON.stringify(chosen) !== JSON.stringify(drawn);
    const value = ((moved ? chosen : drawn) || [0, end]).map((each) => Math.min(each, end));
    if (JSON.stringify(value) !== JSON.stringify(old)) setProps(slider, { max: end, value });
  }

  /* What the slider says, as two numbers. */
  function numbers(span, drawn) {
    return drawn && span ? span : ["", ""];
  }

  /* Two numbers that were typed → the slider; what is no range is told, and stays to be mended. */
  function typed(first, last, span) {
    const whole = [first, last].every((each) => Number.isInteger(each) && each >= 0);
    if (!drawing || !whole || !span || (first === span[0] && last === span[1])) return keep();
    const end = drawing.positions;
    if (first > last || last > end) {
      const wrong = first > last ? `${first} comes after ${last}` : `the last token is ${end}`;
      const text = `Tokens ${first} to ${last} cannot be drawn: ${wrong}. Choose within 0 to ${end}.`;
      setProps(names().NOTICE, { data: { title: "That cannot be drawn", text } });
      return keep();
    }
    setProps(names().NOTICE, { data: null });
    flowviz.drawOnly(first, last);
    return keep();
  }

  flowviz.drawOnly = function (first, last) {
    setProps(names().POSITIONS, { value: [first, last] });
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("button");
    if (!button || !drawing) return;
    const { all, only } = button.dataset;
    if (all === "positions") flowviz.drawOnly(0, drawing.positions);
    if (all === "layers") setProps(names().LAYERS, { value: [0, drawing.layers] });
    if (only === "target") flowviz.drawOnly(drawing.target, drawing.target);
  });

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { ranges, numbers, typed });
})();
