// The page's behaviour: filters, plots, pictures and rows, from the columns in #data. Needs uPlot and no server.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { x, categories, metrics, texts, pictures } = data;
  const STEP = { rows: 200, pictures: 48 };
  const shown = { ...STEP };
  const chosen = categories.map(() => null); // the number of a value; null is all
  let search = "";
  let rows = []; // numbers of the rows that pass the filters

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const value = (column, row) => column.names[column.values[row]];
  const number = (v) => (v === null ? "" : v.toFixed(3));

  const passes = (row) =>
    categories.every((c, i) => chosen[i] === null || c.values[row] === chosen[i]) &&
    (search === "" || [...texts, ...categories].some((c) => value(c, row).toLowerCase().includes(search)));

  // filters; what is chosen stands in the address, so that a view can be sent on
  const filters = document.getElementById("filters");
  const address = new URLSearchParams(location.hash.slice(1));
  categories.forEach((c, i) => {
    if (c.names.length < 2) return;
    const select = element("select", { id: `filter-${c.name}` }, element("option", { value: "", textContent: "all" }));
    c.names.forEach((name, at) => select.append(element("option", { value: at, textContent: name || "(none)" })));
    const wanted = address.get(c.name);
    if (wanted !== null && c.names.includes(wanted)) {
      chosen[i] = c.names.indexOf(wanted);
      select.value = chosen[i];
    }
    select.onchange = () => {
      chosen[i] = select.value === "" ? null : Number(select.value);
      if (chosen[i] === null) address.delete(c.name);
      else address.set(c.name, c.names[chosen[i]]);
      apply();
    };
    filters.append(element("label", {}, `${c.name} `, select));
  });
  const field = element("input", { id: "filter-text", type: "search", placeholder: "text" });
  search = (address.get("text") || "").toLowerCase();
  field.value = search;
  field.oninput = () => {
    search = field.value.toLowerCase();
    if (search) address.set("text", search);
    else address.delete("text");
    apply();
  };
  const count = element("span", { id: "count" });
  filters.append(element("label", {}, "contains ", field), count);

  // plots: points in the colour of the first category, all zoomed together
  const leading = categories[0];
  const columns = (metric) => {
    const passing = new Set(rows);
    const series = leading.names.map((_, kind) =>
      metric.values.map((v, row) => (leading.values[row] === kind && passing.has(row) ? v : null)));
    return [x, ...series];
  };
  // a range with room above and below, also when all values are equal or absent
  const readable = (_, low, high) => {
    if (low === null || high === null) return [0, 1];
    const room = (high - low) * 0.08 || Math.max(Math.abs(high) * 0.1, 0.05);
    return [low >= 0 && (low < high / 2 || low === high) ? 0 : low - room, high + room];
  };
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = (more) => ({ stroke: () => colour("--soft"), grid: { stroke: () => colour("--line"), width: 1 },
    ticks: { stroke: () => colour("--line") }, ...more });
  const place = document.getElementById("plots");
  const plots = metrics.map((metric) => new uPlot({
    title: metric.name,
    width: 800,
    height: 240,
    cursor: { sync: { key: "all" } },
    scales: { x: { time: false }, y: { range: readable } },
    axes: [axis({ label: data.x_name, labelSize: 20 }), axis({ size: 52 })],
    series: [{ label: data.x_name }, ...leading.names.map((name, kind) => ({
      label: name,
      stroke: leading.colours[kind],
      paths: () => null,
      points: { show: true, size: 7, fill: leading.colours[kind] },
    }))],
  }, columns(metric), place.appendChild(element("div"))));
  const fit = () => plots.forEach((plot) => plot.setSize({ width: Math.max(260, plot.root.parentElement.clientWidth - 24), height: 240 }));
  addEventListener("resize", fit);
  fit();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach((plot) => plot.redraw()));

  const more = (id, kind, left) => {
    const button = document.getElementById(id);
    button.hidden = left <= 0;
    button.textContent = `${left} more`;
    button.onclick = () => {
      shown[kind] += STEP[kind];
      draw();
    };
  };

  const draw = () => {
    const body = document.getElementById("rows");
    body.replaceChildren(...rows.slice(0, shown.rows).map((row) => {
      const cells = [number(x[row]), ...categories.map((c) => value(c, row)),
        ...metrics.map((m) => number(m.values[row])), ...texts.map((t) => value(t, row))];
      return element("tr", {}, ...cells.map((textContent) => element("td", { textContent })));
    }));
    more("more-rows", "rows", rows.length - shown.rows);
    const seen = rows.filter((row) => pictures[row]);
    document.getElementById("pictures").replaceChildren(...seen.slice(0, shown.pictures).map((row) => {
      const images = pictures[row].map((src) => element("img", { src, alt: "", loading: "lazy" }));
      const words = [...categories.slice(1).map((c) => value(c, row)), ...texts.map((t) => value(t, row))];
      const badge = element("span", { className: "badge", textContent: value(leading, row) });
      badge.style.setProperty("--colour", leading.colours[leading.values[row]] || "var(--soft)");
      const caption = `${number(x[row])} s: ${words.filter((word) => word).join(", ")}`;
      const figure = element("figure", images.length > 1 ? { className: "pair" } : {}, element("div", { className: "sides" }, ...images),
        element("figcaption", {}, badge, caption));
      figure.firstChild.onclick = () => figure.classList.toggle("large");
      return figure;
    }));
    document.getElementById("with-pictures").hidden = seen.length === 0;
    more("more-pictures", "pictures", seen.length - shown.pictures);
  };

  const apply = () => {
    rows = x.map((_, row) => row).filter(passes);
    Object.assign(shown, STEP);
    history.replaceState(null, "", `#${address}`);
    count.textContent = `${rows.length} of ${x.length}`;
    plots.forEach((plot, at) => plot.setData(columns(metrics[at]), false));
    plots.forEach((plot) => plot.redraw());
    draw();
  };
  const names = [data.x_name, ...categories.map((c) => c.name), ...metrics.map((m) => m.name), ...texts.map((t) => t.name)];
  document.getElementById("names").replaceChildren(...names.map((textContent) => element("th", { textContent })));
  apply();
  plots.forEach((plot, at) => plot.setData(columns(metrics[at])));
})();
