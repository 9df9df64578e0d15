// Filter and sort a table. Without this the table is whole, in the order of its rows; nothing is loaded from anywhere.
"use strict";

for (const form of document.querySelectorAll("form[data-filters]")) {
  const table = document.getElementById(form.dataset.filters);
  const rows = [...table.tBodies[0].rows];
  const texts = rows.map((row) => plain(row.textContent));
  const status = form.querySelector("[role=status]");
  const names = [...form.elements].filter((one) => one.name && one.name !== "q").map((one) => one.name);

  const fill = (asked) => {
    for (const one of form.elements) {
      if (!one.name) continue;
      one.value = asked.get(one.name) ?? "";
      if (one.value === "" && one.tagName === "SELECT") one.selectedIndex = 0;
    }
  };

  const apply = () => {
    const words = plain(form.elements.q.value).split(" ").filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      const fits =
        words.every((word) => texts[at].includes(word)) &&
        names.every((name) => {
          const value = form.elements[name].value;
          return value === "" || ` ${row.dataset[name]} `.includes(` ${value} `);
        });
      row.hidden = !fits;
      shown += fits;
    });
    status.textContent = `${shown} of ${rows.length} shown`;
  };

  // The address keeps the choice, so that it can be sent to somebody.
  const keep = () => {
    const chosen = new URLSearchParams();
    for (const name of ["q", ...names]) if (form.elements[name].value) chosen.set(name, form.elements[name].value);
    const query = chosen.toString();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
  };

  form.addEventListener("input", () => { apply(); keep(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  // Emptied here and at once: the browser would do so only after this event.
  form.addEventListener("reset", (event) => { event.preventDefault(); fill(new URLSearchParams()); apply(); keep(); });
  addEventListener("popstate", () => { fill(new URLSearchParams(location.search)); apply(); });
  form.hidden = false;
  fill(new URLSearchParams(location.search));
  apply();
}

for (const table of document.querySelectorAll("table:has(th[data-sort])")) {
  for (const head of table.tHead.rows[0].cells) {
    if (!head.dataset.sort) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sorter";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, head));
  }
}

function sort(table, head) {
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const body = table.tBodies[0];
  const numbers = head.dataset.sort !== "text";
  const keyed = [...body.rows].map((row) => {
    const cell = row.cells[head.cellIndex];
    const text = (cell.dataset.value ?? (cell.querySelector("a") ?? cell).textContent).trim();
    return { row, key: numbers && text !== "" ? Number(text) : text };
  });
  // What has no value stays at the end, whichever way the others go.
  keyed.sort((one, two) => {
    if (one.key === "" || two.key === "") return (one.key === "") - (two.key === "");
    const order = numbers ? one.key - two.key : one.key.localeCompare(two.key, "en", { numeric: true });
    return up ? order : -order;
  });
  body.append(...keyed.map((one) => one.row));
}

function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ").trim();
}
