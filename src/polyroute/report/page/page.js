// Draws figures as they come into view, hands them what the reader has chosen, and saves them and their data.
"use strict";
(async () => {
  if (!window.DecompressionStream) {
    document.querySelector("main").prepend("Figures need a browser of 2023 or later; everything else is here.");
    return;
  }
  const packed = Uint8Array.from(atob(document.getElementById("content").textContent), (sign) => sign.charCodeAt(0));
  const content = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  const views = new Map(); // anchor -> Vega view
  const drawing = new Map(); // anchor -> promise of it
  const chosen = new Map(); // anchor -> languages shown
  let by = "family";
  let hot = "";

  const config = {
    background: null, font: 'system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
    view: { stroke: null },
    axis: {
      labelColor: "var(--soft)", titleColor: "var(--ink)", gridColor: "var(--grid)", domainColor: "var(--line)",
      tickColor: "var(--line)", labelFontSize: 11, titleFontSize: 12, titleFontWeight: 500, titlePadding: 8,
    },
    legend: { labelColor: "var(--ink)", titleColor: "var(--soft)", labelFontSize: 11.5, titleFontSize: 11.5, titleFontWeight: 400, labelLimit: 260, rowPadding: 2, columnPadding: 12 },
    header: { labelColor: "var(--ink)", titleColor: "var(--ink)", labelFontSize: 12 },
    text: { fill: "var(--ink)" }, rule: { color: "var(--ink)" },
    line: { strokeJoin: "round" },
  };

  const hue = (language) => content.hues[by][language] || "var(--soft)";

  function rowsOf(figure) {
    return figure.rows.map((row) => Object.fromEntries(figure.columns.map((column, i) => [column, row[i]])));
  }

  // Words of a title in lines of about as many signs.
  function inLines(title, most) {
    if (typeof title !== "string" || title.length <= most) return title;
    const lines = [""];
    for (const word of title.split(" ")) {
      if (lines.at(-1) && lines.at(-1).length + word.length >= most) lines.push(word);
      else lines.push(`${lines.pop()} ${word}`.trim());
    }
    return lines;
  }

  // What stands in brackets after a long name goes below it.
  const BELOW = "length(datum.label) > 22 && indexof(datum.label, ' (') > 0 ? [slice(datum.label, 0, " +
    "indexof(datum.label, ' (')), slice(datum.label, indexof(datum.label, ' (') + 1)] : datum.label";

  // On a narrow screen explanations of colours stand one below another, titles of axes end where the axis does, and
  // long names take two lines.
  function narrowed(part) {
    if (Array.isArray(part)) return part.map(narrowed);
    if (part === null || typeof part !== "object") return part;
    const found = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, key === "values" ? value : narrowed(value)]));
    if (found.x && found.x.title) {
      found.x.title = inLines(found.x.title, 34);
      found.x.axis = { ...found.x.axis, titleAnchor: "end" };
    }
    if (found.y && found.y.axis && found.y.axis.labelLimit > 200) {
      found.y.axis = { ...found.y.axis, labelExpr: BELOW, labelFontSize: 9, labelLineHeight: 10 };
    }
    if (found.x && found.x.axis && found.x.axis.labelAngle) found.x.axis = { ...found.x.axis, labelAngle: -90, labelFontSize: 9 };
    if (found.legend && found.title) found.title = inLines(found.title, 26);
    if (found.legend && found.legend.orient === "top" && !found.legend.gradientLength) found.legend.columns = 1;
    return found;
  }

  function specOf(figure, box) {
    const spec = box.clientWidth < 480 ? narrowed(figure.spec) : structuredClone(figure.spec);
    spec.$schema = "https://vega.github.io/schema/vega-lite/v6.json";
    spec.config = { ...config, ...(spec.config || {}), axis: { ...config.axis, ...((spec.config || {}).axis || {}) } };
    spec.datasets = { rows: rowsOf(figure) };
    spec.params = [
      ...(spec.params || []),
      { name: "by", value: by }, { name: "hot", value: "" }, { name: "shown", value: figure.shown },
      { name: "hues", value: content.hues }, { name: "names", value: content.names },
    ];
    return spec;
  }

  // Places at least `gap` apart, as near to the wanted ones as can be: blocks that touch move as one.
  function spread(wanted, gap, low, high) {
    const blocks = [];
    wanted.forEach((place, i) => {
      blocks.push([place - i * gap, 1]);
      while (blocks.length > 1 && blocks[blocks.length - 2][0] > blocks[blocks.length - 1][0]) {
        const [mean, size] = blocks.pop();
        const last = blocks[blocks.length - 1];
        last[0] = (last[0] * last[1] + mean * size) / (last[1] + size);
        last[1] += size;
      }
    });
    const fitted = blocks.flatMap(([mean, size]) => Array(size).fill(mean));
    const room = high - (wanted.length - 1) * gap;
    return fitted.map((place, i) => Math.min(Math.max(place, low), Math.max(low, room)) + i * gap);
  }

  function nameEnds(anchor) {
    const figure = content.figures[anchor], view = views.get(anchor);
    if (!figure.ends.x || !view) return;
    const { x, y, series } = figure.ends, last = new Map();
    for (const row of rowsOf(figure)) {
      if (row[y] === null || !chosen.get(anchor).includes(row[series])) continue;
      if (!last.has(row[series]) || last.get(row[series])[x] < row[x]) last.set(row[series], row);
    }
    const scale = view.scale("y"), height = view.signal("height");
    const ends = [...last.values()].map((row) => ({ language: row[series], name: content.names[row[series]] || row[series], at: scale(row[y]) }));
    for (const [name, value] of figure.ends.beside || []) ends.push({ language: "", name, at: scale(value) });
    ends.sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
    spread(ends.map((end) => end.at), 12.5, 0, height).forEach((place, i) => { ends[i].place = place; });
    view.data("ends", ends);
  }

  function draw(anchor) {
    if (drawing.has(anchor)) return drawing.get(anchor);
    const place = document.querySelector(`[data-figure="${CSS.escape(anchor)}"]`);
    const figure = content.figures[anchor], box = place.querySelector(".canvas");
    if (!chosen.has(anchor)) chosen.set(anchor, [...figure.shown]);
    const done = vegaEmbed(box, specOf(figure, box), { renderer: "svg", actions: false, tooltip: { theme: "custom" } })
      .then(async ({ view }) => {
        views.set(anchor, view);
        view.addEventListener("pointerover", (_event, item) => {
          const language = item && item.datum && (item.datum.language || (item.datum.datum || {}).language);
          if (language) light(language);
        });
        view.addEventListener("pointerout", () => light(""));
        if (figure.chips.length) chips(anchor, place);
        if (figure.ends.x) { nameEnds(anchor); await view.runAsync(); }
        place.dataset.drawn = "yes";
      });
    drawing.set(anchor, done);
    return done;
  }

  function set(view, name, value) {
    try { view.signal(name, value).runAsync(); } catch { /* a figure without this signal */ }
  }

  // A language under the pointer stands out in every figure that is drawn and in view.
  function light(language) {
    if (language === hot) return;
    hot = language;
    for (const [anchor, view] of views) if (seen.has(anchor)) set(view, "hot", hot);
  }

  function chips(anchor, place) {
    const figure = content.figures[anchor], box = place.querySelector(".chips");
    box.replaceChildren(...figure.chips.map((language) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "swatch";
      button.dataset.language = language;
      button.textContent = content.names[language] || language;
      button.style.setProperty("--hue", hue(language));
      button.setAttribute("aria-pressed", String(chosen.get(anchor).includes(language)));
      button.addEventListener("click", () => {
        const now = chosen.get(anchor), on = now.includes(language);
        chosen.set(anchor, on ? now.filter((one) => one !== language) : [...now, language]);
        button.setAttribute("aria-pressed", String(!on));
        const view = views.get(anchor);
        view.signal("shown", chosen.get(anchor));
        nameEnds(anchor);
        view.runAsync();
      });
      button.addEventListener("pointerenter", () => light(language));
      button.addEventListener("pointerleave", () => light(""));
      return button;
    }));
    const many = figure.chips.length > 4;
    for (const [label, languages] of many ? [["all", figure.chips], ["none", []], ["reset", figure.shown]] : []) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.addEventListener("click", () => {
        chosen.set(anchor, [...languages]);
        for (const chip of box.querySelectorAll("[data-language]")) chip.setAttribute("aria-pressed", String(languages.includes(chip.dataset.language)));
        const view = views.get(anchor);
        view.signal("shown", [...languages]);
        nameEnds(anchor);
        view.runAsync();
      });
      box.append(button);
    }
  }

  function colour() {
    const legend = document.getElementById("legend");
    legend.replaceChildren(...content.legends[by].map(([name, value]) => {
      const entry = document.createElement("span");
      entry.className = "swatch";
      entry.style.setProperty("--hue", value);
      entry.textContent = name;
      return entry;
    }));
    for (const element of document.querySelectorAll("[data-language]")) element.style.setProperty("--hue", hue(element.dataset.language));
    for (const view of views.values()) set(view, "by", by);
  }

  function choose(model) {
    for (const part of document.querySelectorAll(".of-model")) part.hidden = part.dataset.model !== model;
    document.getElementById("model").value = model;
  }

  // Saved figures stand alone: names of colours become the colours of now.
  function alone(svg) {
    const style = getComputedStyle(document.documentElement);
    return svg.replace(/var\((--[a-z0-9]+)\)/g, (_whole, name) => style.getPropertyValue(name).trim() || "#888");
  }

  async function svgOf(anchor) {
    await draw(anchor);
    const figure = content.figures[anchor], view = views.get(anchor);
    const svg = alone(await view.toSVG());
    const page = alone("var(--page)");
    const escaped = figure.title.replace(/[<&]/g, (sign) => (sign === "<" ? "&lt;" : "&amp;"));
    return svg.replace(/(<svg[^>]*>)/, `$1<title>${escaped}</title><rect width="100%" height="100%" fill="${page}"/>`);
  }

  function save(name, blob) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function png(svg) {
    return new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = () => {
        const canvas = document.createElement("canvas");
        canvas.width = 2 * image.width;
        canvas.height = 2 * image.height;
        canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
        canvas.toBlob(resolve, "image/png");
      };
      image.onerror = reject;
      image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    });
  }

  function csv(figure) {
    const cell = (value) => {
      const said = value === null || value === undefined ? "" : String(value);
      return /[",\n]/.test(said) ? `"${said.replaceAll('"', '""')}"` : said;
    };
    return [figure.columns, ...figure.rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
  }

  async function saved(anchor, kind) {
    const figure = content.figures[anchor];
    if (kind === "csv") return new Blob([csv(figure)], { type: "text/csv" });
    const svg = await svgOf(anchor);
    return kind === "svg" ? new Blob([svg], { type: "image/svg+xml" }) : png(svg);
  }

  for (const place of document.querySelectorAll("[data-figure]")) {
    const anchor = place.dataset.figure;
    for (const button of place.querySelectorAll("[data-save]")) {
      button.addEventListener("click", async () => save(`${anchor}.${button.dataset.save}`, await saved(anchor, button.dataset.save)));
    }
  }

  const seen = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const anchor = entry.target.dataset.figure;
      if (entry.isIntersecting) { seen.add(anchor); draw(anchor); } else seen.delete(anchor);
    }
  }, { rootMargin: "300px" });
  for (const place of document.querySelectorAll("[data-figure]")) watcher.observe(place);

  // Before printing everything that is shown has to be there.
  async function drawAll() {
    for (const place of document.querySelectorAll("[data-figure]")) {
      if (place.offsetParent !== null) await draw(place.dataset.figure);
    }
  }
  const idle = window.requestIdleCallback || ((task) => setTimeout(task, 200));

  document.getElementById("model").addEventListener("change", (event) => choose(event.target.value));
  for (const button of document.querySelectorAll("[data-choose]")) {
    button.addEventListener("click", () => { choose(button.dataset.choose); document.getElementById("controls").scrollIntoView(); });
  }
  document.getElementById("by").addEventListener("change", (event) => { by = event.target.value; colour(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    const inside = link && document.getElementById(link.hash.slice(1));
    if (inside && inside.tagName === "DETAILS") inside.open = true;
  });
  window.addEventListener("beforeprint", () => { for (const part of document.querySelectorAll(".board details")) part.open = false; });

  choose(document.getElementById("model").value);
  colour();
  idle(() => drawAll());
  window.polyroute = { draw, drawAll, saved, views, choose, figures: content.figures, shown: (anchor) => chosen.get(anchor) };
})();
