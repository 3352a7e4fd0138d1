/* What the attention page's scripts share: packed numbers, the heads' colours, words for numbers. */
(function () {
  "use strict";
  const flowviz = (window.flowviz = window.flowviz || {});
  const page = (flowviz.attention = flowviz.attention || {});
  const GOLDEN = 137.508; // degrees: hues that follow each other stay apart
  const SVG = "http://www.w3.org/2000/svg";

  page.bytes = function (text) {
    const raw = atob(text);
    const out = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
    return out;
  };

  /* All 65,536 half-precision numbers (IEEE 754 binary16), made once. */
  let halves = null;
  function table() {
    halves = new Float32Array(65536);
    for (let bits = 0; bits < 65536; bits++) {
      const exponent = (bits >> 10) & 31;
      const part = bits & 1023;
      const size =
        exponent === 31 ? (part ? NaN : Infinity)
        : exponent ? (1 + part / 1024) * 2 ** (exponent - 15)
        : part * 2 ** -24;
      halves[bits] = bits & 32768 ? -size : size;
    }
  }

  /* base64 of little-endian float16 → Float32Array */
  page.floats = function (text) {
    if (!halves) table();
    const bytes = page.bytes(text);
    const out = new Float32Array(bytes.length >> 1);
    for (let i = 0; i < out.length; i++) out[i] = halves[bytes[2 * i] | (bytes[2 * i + 1] << 8)];
    return out;
  };

  /* base64 of little-endian float32 → Float32Array */
  page.singles = function (text) {
    const bytes = page.bytes(text);
    const read = new DataView(bytes.buffer);
    return Float32Array.from({ length: bytes.length >> 2 }, (_, i) => read.getFloat32(4 * i, true));
  };

  page.isDark = () => document.documentElement.dataset.mantineColorScheme === "dark";
  page.headColour = function (head) {
    const hue = Math.round((205 + head * GOLDEN) % 360);
    return page.isDark() ? `hsl(${hue}, 72%, 66%)` : `hsl(${hue}, 70%, 40%)`;
  };
  page.colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /* A number of a row as words: a share of its row; of the flow in logits, too. */
  page.written = function (value, share, weighting) {
    const percent = `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;
    if (weighting !== "flow") return percent;
    const size = Math.abs(value);
    const number = size && size < 0.01 ? size.toExponential(1) : size.toPrecision(3);
    return `${value < 0 ? "−" : ""}${number} logits (${percent} of the row)`;
  };

  page.svg = function (name, given, text) {
    const element = document.createElementNS(SVG, name);
    Object.entries(given).forEach(([key, value]) => element.setAttribute(key, value));
    if (text !== undefined) element.textContent = text;
    return element;
  };

  /* Cut to so many letters. */
  page.cut = function (text, most) {
    const letters = Array.from(text);
    return letters.length > most ? `${letters.slice(0, Math.max(1, most - 1)).join("")}…` : text;
  };
})();
