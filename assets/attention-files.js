/* The attention page's pictures as files: SVG of the head view, PNG of both. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.attention = flowviz.attention || {});
  const SCALE = 2;
  const MOST_PIXELS = 8000;

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  /* The picture that is open, as text of an SVG file that needs nothing else. */
  function text(view) {
    const copy = view === "model" ? framed(page.modelCanvas()) : page.drawnHeads().svg.cloneNode(true);
    const paper = { width: "100%", height: "100%", fill: page.colour("--paper") };
    copy.prepend(page.svg("rect", paper));
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    return new XMLSerializer().serializeToString(copy);
  }

  function framed(canvas) {
    const [width, height] = [canvas.style.width, canvas.style.height].map(parseFloat);
    const svg = page.svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
    svg.append(page.svg("image", { width, height, href: canvas.toDataURL("image/png") }));
    return svg;
  }

  function headsAsPng() {
    const { svg } = page.drawnHeads();
    const [width, height] = [svg.width.baseVal.value, svg.height.baseVal.value];
    const scale = Math.min(SCALE, MOST_PIXELS / Math.max(width, height));
    const picture = new Image();
    const address = URL.createObjectURL(new Blob([text("heads")], { type: "image/svg+xml" }));
    picture.onload = () => {
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: width * scale, height: height * scale });
      const ctx = canvas.getContext("2d");
      ctx.scale(scale, scale);
      ctx.drawImage(picture, 0, 0);
      URL.revokeObjectURL(address);
      canvas.toBlob((blob) => save(blob, "attention-heads.png"));
    };
    picture.src = address;
  }

  function attentionImage(png, svg, view) {
    const keep = window.dash_clientside.no_update;
    const drawn = view === "model" ? page.modelCanvas() : page.drawnHeads();
    if (!drawn || !(png || svg)) return keep;
    const trigger = window.dash_clientside.callback_context.triggered_id || "";
    if (trigger.endsWith("svg")) {
      save(new Blob([text(view)], { type: "image/svg+xml" }), `attention-${view}.svg`);
    } else if (view === "model") {
      drawn.toBlob((blob) => save(blob, "attention-model.png"));
    } else {
      headsAsPng();
    }
    return keep;
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.flowviz = Object.assign(clientside.flowviz || {}, { attentionImage });
})();
