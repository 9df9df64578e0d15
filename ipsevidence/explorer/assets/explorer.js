// Places numbers that were computed before. Nothing here estimates or rounds; texts come ready, and all text is set as text.
"use strict";
(() => {
  const form = document.getElementById("choices");
  const selects = [...form.querySelectorAll("select")];
  const loaded = new Map();
  const by = (id) => document.getElementById(id);
  let shown = null;
  let last = null;
  let asked = 0;

  const put = (id, text) => { by(id).textContent = text; };
  const make = (name, text, attributes = {}) => {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const study = (one) => make("a", one.label, { href: `studies/${encodeURIComponent(one.id)}.html` });

  // The state: the choices, which stand in the address behind the question mark.
  const state = () => Object.fromEntries(selects.map((one) => [one.name, one.value]));
  const restore = () => {
    const given = new URLSearchParams(location.search);
    for (const one of selects) {
      const options = [...one.options];
      const wanted = given.get(one.name);
      const usual = options.find((option) => option.defaultSelected) || options[0];
      one.value = options.some((option) => option.value === wanted) ? wanted : usual.value;
    }
  };
  const remember = () => history.replaceState(null, "", `?${new URLSearchParams(state())}`);

  const load = async (population) => {
    if (!loaded.has(population)) {
      const answer = await fetch(`explore/${encodeURIComponent(population)}.json`);
      if (!answer.ok) throw new Error(String(answer.status));
      loaded.set(population, await answer.json());
    }
    return loaded.get(population);
  };

  const update = async () => {
    const turn = ++asked;
    const chosen = state();
    try {
      const data = await load(chosen.population);
      if (turn !== asked) return;
      const pool = data.pools[[chosen.outcome, chosen.comparator, chosen.measure].join("/")];
      const cell = pool.cells[`${chosen.tau2}/${chosen.interval}`] || { why: pool.why };
      shown = { pool, cell, chosen, method: method(cell) };
      show();
    } catch (error) {
      if (turn === asked) put("headline", "The numbers could not be loaded. The page needs the site's own server, not a file opened from a disk.");
    }
  };

  const label = (name) => {
    const one = form.elements[name];
    return one.options[one.selectedIndex].textContent;
  };
  const method = (cell) => (cell.result ? `${label("tau2")}; interval: ${label("interval")}. ${cell.notes.join(" ")}` : "");

  const show = () => {
    const { pool, cell } = shown;
    put("question", pool.title);
    put("headline", cell.headline || (pool.why ? pool.headline : `Not pooled: ${cell.why}.`));
    put("sentence", cell.why && !pool.why ? "" : cell.sentence || pool.sentence);
    put("coverage", `In the pool: ${pool.coverage}.`);
    put("spread", cell.spread || "");
    put("method", [shown.method, cell.no_prediction ? `No prediction interval: ${cell.no_prediction}.` : ""].join(" ").trim());
    put("beside", pool.beside);
    put("legend", pool.legend.join("; "));
    by("forest").hidden = !pool.rows.length;
    by("caveats").replaceChildren(...pool.caveats.map((text) => make("li", text)));
    people(pool, cell);
    trials(pool, cell);
    absent(pool);
    file(pool, cell);
    draw();
  };

  const head = (table, names, numbers) => table.tHead.replaceChildren(row(names, "th", numbers, { scope: "col" }));
  const row = (cells, name, numbers, attributes = {}) => {
    const line = make("tr");
    cells.forEach((content, index) => {
      const box = make(name, typeof content === "string" ? content : undefined, attributes);
      if (typeof content !== "string") box.append(content);
      if (numbers.includes(index)) box.className = "n";
      line.append(box);
    });
    return line;
  };

  const people = (pool, cell) => {
    const rows = cell.per100 || (pool.why && pool.per100 ? pool.per100.rows : []);
    by("people").hidden = !rows.length;
    if (!rows.length) return;
    put("people-notes", [...pool.per100.notes, cell.cut || ""].join(" "));
    head(by("per100"), pool.per100.heads, [0, 2, 3, 4, 5, 6]);
    by("per100").tBodies[0].replaceChildren(...rows.map((one) => row(one, "td", [0, 2, 3, 4, 5, 6])));
  };

  const trials = (pool, cell) => {
    const box = by("trials");
    const table = box.querySelector("table");
    const weights = cell.result ? pool.weights[shown.chosen.tau2] : undefined;
    if (pool !== last) box.open = pool.mixed;
    last = pool;
    box.hidden = !pool.rows.length;
    box.querySelector("summary").textContent = `Trials in the pool (${pool.rows.length})`;
    head(table, ["Trial", "Outcome", "Months", ...pool.arms, pool.measure, "Weight", "Counts are"], [2, 3, 4, 5, 6]);
    table.tBodies[0].replaceChildren(...pool.rows.map((one, index) => row(
      [study(one), one.outcome, one.months, ...one.counts, one.text, weights ? weights[index][1] : "", one.basis], "td", [2, 3, 4, 5, 6])));
  };

  const absent = (pool) => {
    const box = by("absent");
    box.hidden = !pool.absent.length;
    box.open = !pool.rows.length;
    box.querySelector("summary").textContent = `Eligible trials without a usable number (${pool.absent.length})`;
    box.querySelector("ul").replaceChildren(...pool.absent.map((one) => {
      const item = make("li");
      item.append(study(one), `, ${one.size}${one.direction ? `; stated: ${one.direction}` : ""}. ${one.reason}`);
      return item;
    }));
  };

  const file = (pool, cell) => {
    const lines = cell.lines || (pool.why ? pool.lines : null);
    const name = `explored-${shown.chosen.population}.yaml`;
    const text = lines ? pool.spec.map((piece, index) => piece + (lines[index] || "")).join("") : "";
    put("spec", text);
    put("filename", name);
    put("argument", name);
    put("copied", "");
    put("nofile", lines ? "" : `There is no such analysis: ${cell.why}.`);
    by("nofile").hidden = Boolean(lines);
    by("keep").hidden = by("file").querySelector("pre").hidden = by("filename").parentNode.hidden = !lines;
    by("download").setAttribute("download", name);
    by("download").setAttribute("href", `data:application/yaml;charset=utf-8,${encodeURIComponent(text)}`);
  };

  // The forest plot: every place is a stored number on the pooled scale, moved to the page by one line of arithmetic.
  const space = "http://www.w3.org/2000/svg";
  const draw = () => {
    const { pool, cell } = shown;
    if (!pool.rows.length) { by("plot").replaceChildren(); return; }
    const width = Math.max(280, Math.round(by("plot").clientWidth));
    const narrow = width < 660;
    const line = narrow ? 44 : 25;
    const left = narrow ? 8 : Math.min(390, width * 0.43);
    const right = narrow ? width - 8 : width - 258;
    const first = narrow ? 10 : 34;
    const svg = document.createElementNS(space, "svg");
    const add = (name, attributes, text) => {
      const node = document.createElementNS(space, name);
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      if (text !== undefined) node.textContent = text;
      svg.append(node);
      return node;
    };
    const { low, high, null: none, ticks } = pool.axis;
    const x = (place) => left + ((place - low) / (high - low)) * (right - left);
    const inside = (place) => Math.min(high, Math.max(low, place));
    const words = (at, y, text, name = "") => add("text", { x: at, y, class: name }, text);
    const arrows = (from, to, y, name) => {
      if (from < low) add("path", { d: `M${left} ${y}l7 -4v8z`, class: `arrow ${name}` });
      if (to > high) add("path", { d: `M${right} ${y}l-7 -4v8z`, class: `arrow ${name}` });
    };
    const fit = cell.result;
    const weights = fit ? pool.weights[shown.chosen.tau2] : undefined;
    const count = pool.rows.length;
    const total = first + count * line + 8;
    const ahead = Boolean(fit && fit.prediction.low !== null);
    const bottom = total + (ahead ? 2 : 1) * line + 4;
    const label = (y, name, effect, weight, bold) => {
      words(0, y, name, bold);
      words(narrow ? width : width - 70, y, effect, `end ${bold}`);
      if (!narrow) words(width, y, weight, "end");
    };
    const base = (top) => (narrow ? top + 15 : top + 17);
    const middle = (top) => (narrow ? top + 29 : top + 12.5);
    if (!narrow) {
      words(0, 17, "Study", "head");
      words(left - 122, 17, pool.arms[0], "head end");
      words(left - 14, 17, pool.arms[1], "head end");
      words(width - 70, 17, pool.measure, "head end");
      words(width, 17, weights ? "Weight" : "", "head end");
      add("line", { x1: 0, x2: width, y1: 26, y2: 26, class: "hair" });
    }
    add("line", { x1: x(none), x2: x(none), y1: first - 4, y2: bottom, class: "rule" });
    if (fit) add("line", { x1: x(fit.estimate), x2: x(fit.estimate), y1: first - 4, y2: middle(total), class: "mean" });
    pool.rows.forEach((one, index) => {
      const top = first + index * line;
      const y = middle(top);
      const [at, from, to] = one.at;
      label(base(top), one.label + (one.sign ? `\u202f${one.sign}` : ""), one.text, weights ? weights[index][1] : "", "");
      if (!narrow) {
        words(left - 122, base(top), one.counts[0], "end");
        words(left - 14, base(top), one.counts[1], "end");
      }
      if (inside(from) < inside(to)) add("line", { x1: x(inside(from)), x2: x(inside(to)), y1: y, y2: y, class: "ci" });
      arrows(from, to, y, "");
      const side = 14 * (weights ? weights[index][2] : 0.55);
      if (at >= low && at <= high) add("rect", { x: x(at) - side / 2, y: y - side / 2, width: side, height: side, class: "square" });
    });
    if (fit) {
      const y = middle(total);
      const ends = [fit.ci.low, fit.ci.high].map((end) => x(inside(end)));
      label(base(total), "Mean of the trials", cell.effect, "", "bold");
      add("path", { d: `M${ends[0]} ${y}L${x(inside(fit.estimate))} ${y - 7}L${ends[1]} ${y}L${x(inside(fit.estimate))} ${y + 7}z`, class: "diamond" });
      arrows(fit.ci.low, fit.ci.high, y, "accent");
    } else if (pool.common) {
      const y = middle(total);
      const [at, from, to] = pool.common.at;
      add("line", { x1: x(at), x2: x(at), y1: first - 4, y2: y + 7, class: "mean" });
      label(base(total), pool.common.label, pool.common.text, "", "");
      add("line", { x1: x(inside(from)), x2: x(inside(to)), y1: y, y2: y, class: "common" });
      arrows(from, to, y, "accent");
    } else words(0, base(total), count === 1 ? "One trial, not a pool" : "Not pooled", "quiet");
    if (ahead) {
      const y = middle(total + line);
      const [from, to] = [fit.prediction.low, fit.prediction.high];
      label(base(total + line), pool.ahead, cell.prediction, "", "");
      add("rect", { x: x(inside(from)), y: y - 3, width: x(inside(to)) - x(inside(from)), height: 6, class: "ahead" });
      arrows(from, to, y, "accent");
    }
    add("line", { x1: left, x2: right, y1: bottom, y2: bottom, class: "hair" });
    for (const [place, text] of ticks) {
      add("line", { x1: x(place), x2: x(place), y1: bottom, y2: bottom + 5, class: "hair" });
      words(x(place), bottom + 19, text, "mid small");
    }
    if (pool.favours) {
      const away = Math.min(Math.max(x(none), left + 130), right - 110);
      words(away - 8, bottom + 40, `\u2190 ${pool.favours[0]}`, "end small");
      words(away + 8, bottom + 40, `${pool.favours[1]} \u2192`, "small");
    }
    svg.setAttribute("viewBox", `0 0 ${width} ${bottom + 48}`);
    svg.setAttribute("class", "fp");
    svg.setAttribute("role", "img");
    const title = document.createElementNS(space, "title");
    title.textContent = `Forest plot of ${count} ${count === 1 ? "trial" : "trials"}. ${by("headline").textContent} The table of trials below has the same numbers.`;
    svg.prepend(title);
    by("plot").replaceChildren(svg);
  };

  form.addEventListener("change", () => { remember(); update(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { remember(); update(); }));
  by("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(by("spec").textContent);
      put("copied", "Copied.");
    } catch (error) {
      getSelection().selectAllChildren(by("spec"));
      put("copied", "Selected: copy it with the keyboard.");
    }
  });
  let drawn = 0;
  new ResizeObserver(() => {
    const width = by("plot").clientWidth;
    if (shown && width && width !== drawn) { drawn = width; draw(); }
  }).observe(by("plot"));
  by("explorer").hidden = false;
  restore();
  update();
})();
