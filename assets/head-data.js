/* What the scripts of one head share: packed numbers, colours, ink for a canvas or for an SVG. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.head = flowviz.head || {});
  const SVG = "http://www.w3.org/2000/svg";
  const DRAW_AT_MOST = 3; // the factor by which pixels of a dense screen are drawn
  const FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace";
  const GOLDEN = 137.508; // degrees: hues that follow each other stay apart

  /* base64 of little-endian float32 → Float32Array */
  page.floats = function (text) {
    const raw = atob(text);
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    const view = new DataView(bytes.buffer);
    return Float32Array.from({ length: raw.length >> 2 }, (_, i) => view.getFloat32(4 * i, true));
  };

  const isDark = () => document.documentElement.dataset.mantineColorScheme === "dark";
  page.colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  page.lineColour = function (place) {
    const hue = Math.round((205 + place * GOLDEN) % 360);
    return isDark() ? `hsl(${hue}, 72%, 66%)` : `hsl(${hue}, 70%, 40%)`;
  };

  /* The theme's colours, asked for once a drawing. */
  page.inks = function () {
    const names = ["paper", "ink", "soft-ink", "line", "strong-line", "accent", "accent-wash", "for", "against"];
    return Object.fromEntries(names.map((name) => [name, page.colour(`--${name}`)]));
  };

  /* A number as everywhere: three digits with its sign. */
  page.signed = function (value) {
    if (!Number.isFinite(value)) return "not seen";
    const size = Math.abs(value);
    if (size < 1e-6) return "0";
    const digits = size < 0.001 || size >= 1e5 ? size.toExponential(1) : size.toPrecision(3);
    return (value < 0 ? "−" : "+") + digits;
  };
  page.percent = (share) =>
    share > 0 && share < 0.0005 ? "<0.1%" : `${(100 * share).toFixed(1).replace(/\.0$/, "")}%`;

  /* Cut to so many letters. */
  page.cut = function (text, most) {
    const letters = Array.from(text);
    return letters.length > most ? `${letters.slice(0, Math.max(1, most - 1)).join("")}…` : text;
  };

  const escaped = (text) =>
    text.replace(/[&<>"]/g, (each) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[each]);
  const tenth = (value) => Math.round(100 * value) / 100;

  /* Ink for a canvas: rect, text and line in pixels of the page. */
  page.onCanvas = function (width, height) {
    const canvas = document.createElement("canvas");
    const dense = Math.min(DRAW_AT_MOST, window.devicePixelRatio || 1);
    Object.assign(canvas, { width: Math.ceil(width * dense), height: Math.ceil(height * dense) });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const ctx = canvas.getContext("2d");
    ctx.scale(dense, dense);
    return {
      element: canvas,
      rect(x, y, w, h, fill, opacity = 1) {
        ctx.globalAlpha = opacity;
        ctx.fillStyle = fill;
        ctx.fillRect(x, y, w, h);
      },
      frame(x, y, w, h, colour) {
        ctx.globalAlpha = 1;
        ctx.strokeStyle = colour;
        ctx.lineWidth = 1.5;
        ctx.strokeRect(x, y, w, h);
      },
      text(x, y, words, { fill, size = 12, anchor = "start", weight = 400, up = false }) {
        ctx.globalAlpha = 1;
        ctx.save();
        ctx.translate(x, y);
        if (up) ctx.rotate(-Math.PI / 2);
        ctx.fillStyle = fill;
        ctx.font = `${weight} ${size}px ${FONT}`;
        ctx.textAlign = anchor === "middle" ? "center" : anchor;
        ctx.fillText(words, 0, 0);
        ctx.restore();
      },
      line(points, colour, thick, dash = []) {
        ctx.globalAlpha = 1;
        ctx.strokeStyle = colour;
        ctx.lineWidth = thick;
        ctx.lineJoin = "round";
        ctx.setLineDash(dash);
        ctx.beginPath();
        points.forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
        ctx.stroke();
        ctx.setLineDash([]);
      },
    };
  };

  /* The same ink for the text of an SVG file, which needs nothing else. */
  page.onSvg = function (width, height) {
    const parts = [];
    return {
      rect(x, y, w, h, fill, opacity = 1) {
        const shape = `x="${tenth(x)}" y="${tenth(y)}" width="${tenth(w)}" height="${tenth(h)}"`;
        parts.push(`<rect ${shape} fill="${fill}" fill-opacity="${tenth(opacity)}"/>`);
      },
      frame(x, y, w, h, colour) {
        const shape = `x="${tenth(x)}" y="${tenth(y)}" width="${tenth(w)}" height="${tenth(h)}"`;
        parts.push(`<rect ${shape} fill="none" stroke="${colour}" stroke-width="1.5"/>`);
      },
      text(x, y, words, { fill, size = 12, anchor = "start", weight = 400, up = false }) {
        const turned = up ? ` transform="rotate(-90 ${tenth(x)} ${tenth(y)})"` : "";
        const where = anchor === "right" ? "end" : anchor;
        parts.push(
          `<text x="${tenth(x)}" y="${tenth(y)}" fill="${fill}" font-size="${size}" ` +
            `font-weight="${weight}" text-anchor="${where}"${turned}>${escaped(words)}</text>`,
        );
      },
      line(points, colour, thick, dash = []) {
        const path = points.map(([x, y]) => `${tenth(x)},${tenth(y)}`).join(" ");
        parts.push(
          `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="${thick}" ` +
            `stroke-dasharray="${dash.join(" ")}"/>`,
        );
      },
      get file() {
        return (
          `<svg xmlns="${SVG}" width="${width}" height="${height}" ` +
          `viewBox="0 0 ${width} ${height}" font-family="${FONT}">${parts.join("")}</svg>`
        );
      },
    };
  };
})();
