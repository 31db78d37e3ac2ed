/** Where the records go and how the file is to be read: everything that was guessed, to be set right. */
import type { Choices } from "../city/intake.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import type { Bench } from "./upload.ts";

const FRAMES = ["EPSG:4326", "EPSG:4490", "EPSG:4549", "EPSG:4550", "EPSG:4528", "EPSG:4529", "GCJ-02", "BD-09"];
const ENCODINGS = ["utf-8", "gb18030", "big5", "utf-16", "euc-kr", "shift_jis"];
const NEW = "+";

export function optionsPart(bench: Bench): HTMLElement {
  const { app, report } = bench;
  const { tables } = report;
  const field = (label: string, control: HTMLElement, hint = ""): HTMLElement => {
    control.id ||= `option-${label}`;
    return h(
      "div",
      { class: "option" },
      h("label", { htmlFor: control.id }, label),
      control,
      h("span", { class: "hint" }, hint),
    );
  };
  const chosen = bench.choices();
  const guess = report.guessed === true ? app.t("dataGuessed") : "";
  const text = (key: "source" | "extent", value: string, placeholder: string) =>
    h("input", {
      type: "text",
      value,
      placeholder,
      autocomplete: "off",
      onchange: (event: Event) => {
        const typed = (event.target as HTMLInputElement).value.trim();
        bench.change({ [key]: typed === "" ? null : typed } as Partial<Choices>);
      },
    });
  const select = (key: "frame" | "encoding" | "table", values: readonly string[], none: string) => {
    const now = chosen[key];
    const all = now !== null && !values.includes(now) ? [now, ...values] : values;
    const element = h(
      "select",
      {},
      h("option", { value: "" }, none),
      ...all.map((each) => h("option", { value: each, selected: each === now }, frameName(app, each))),
    );
    element.onchange = () => bench.change({ [key]: element.value === "" ? null : element.value } as Partial<Choices>);
    return element;
  };
  const check = (key: "swap" | "public", label: string) => {
    const box = h("input", { type: "checkbox", checked: chosen[key] });
    box.onchange = () => bench.change({ [key]: box.checked });
    return h("label", { class: "check" }, box, label);
  };
  const found =
    report.coordinates === undefined
      ? app.t("dataAuto")
      : app.t("dataAutoIs", { is: frameName(app, report.coordinates) });
  const encoding = report.findings?.find(({ code }) => code === "encoding" || code === "wrong_cpg");
  const read =
    encoding === undefined ? app.t("dataAuto") : app.t("dataAutoIs", { is: encoding.text.en.split(" ").at(-1) ?? "" });
  return h(
    "section",
    { class: "options" },
    h("h3", {}, app.t("dataOptions")),
    field(app.t("dataLayer"), layerSelect(bench), guess),
    ...(report.new_layer ? newLayer(bench, field, check) : []),
    field(app.t("dataSource"), text("source", chosen.source ?? report.source ?? "", ""), app.t("dataSourceWhy")),
    field(app.t("dataAmount"), amount(bench)),
    tables !== null && field(app.t("dataTable"), select("table", tables, app.t("dataAuto"))),
    field(app.t("dataFrame"), select("frame", FRAMES, found)),
    check("swap", app.t("dataSwap")),
    field(app.t("dataEncoding"), select("encoding", ENCODINGS, read)),
    field(
      app.t("dataExtent"),
      text("extent", chosen.extent ?? "", app.title(app.city.city.title)),
      app.t("dataExtentWhy"),
    ),
  );
}

const FRAME_WORDS = {
  "EPSG:4326": "frame_4326",
  "EPSG:4490": "frame_4490",
  "EPSG:4549": "frame_4549",
  "EPSG:4550": "frame_4550",
  "GCJ-02": "frame_gcj",
  "BD-09": "frame_bd",
} as const;

export function frameName(app: App, frame: string): string {
  const known = FRAME_WORDS[frame as keyof typeof FRAME_WORDS];
  return known === undefined ? frame : app.t(known);
}

function layerSelect(bench: Bench): HTMLSelectElement {
  const { app, report } = bench;
  const now = report.new_layer ? NEW : (report.layer ?? "");
  const likely = new Set((report.candidates ?? []).map(({ layer }) => layer));
  const option = (name: string, text: string) => h("option", { value: name, selected: name === now }, text);
  const others = app.city.layers.filter(({ name }) => !likely.has(name));
  const fitting = app.city.layers.filter(({ name }) => likely.has(name));
  const element = h(
    "select",
    {},
    // Of a file that could not be read nobody has said yet where it goes.
    now === "" && option("", app.t("dataAuto")),
    fitting.length > 0 &&
      h(
        "optgroup",
        { label: app.t("dataFitting") },
        ...fitting.map((each) => option(each.name, app.title(each.title))),
      ),
    h("optgroup", { label: app.t("dataOthers") }, ...others.map((each) => option(each.name, app.title(each.title)))),
    option(NEW, app.t("dataNewLayer")),
  );
  element.onchange = () => {
    if (element.value === NEW) bench.apply({ layer: null, new_layer: freshName(bench) });
    else bench.apply({ layer: element.value || null, new_layer: null });
  };
  return element;
}

/** A name for a new layer that none bears yet. */
function freshName({ app, report }: Bench): string {
  const stem = (report.file ?? "")
    .replace(/\.[^.]+$/, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^[^a-z]+|_+$/g, "");
  const base = stem.length > 1 ? stem.slice(0, 30) : "layer";
  const taken = (name: string) => app.city.layer(name) !== undefined;
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? base : `${base}_${n}`;
    if (!taken(name)) return name;
  }
}

function newLayer(
  bench: Bench,
  field: (label: string, control: HTMLElement, hint?: string) => HTMLElement,
  check: (key: "public", label: string) => HTMLElement,
): HTMLElement[] {
  const { app, report } = bench;
  const title = h("input", {
    type: "text",
    value: bench.choices().title ?? "",
    placeholder: report.new_layer ?? "",
    maxLength: 100,
  });
  title.onchange = () => bench.change({ title: title.value.trim() || null });
  const name = h("input", {
    type: "text",
    value: report.new_layer ?? "",
    pattern: "[a-z][a-z0-9_]{1,40}",
    maxLength: 41,
  });
  name.onchange = () => name.checkValidity() && bench.change({ layer: null, new_layer: name.value });
  return [
    field(app.t("dataLayerTitle"), title),
    field(app.t("dataLayerName"), name, app.t("dataLayerNameWhy")),
    check("public", app.t("dataPublic")),
  ];
}

/** Is the file all that the source has, or a part of it? */
function amount(bench: Bench): HTMLElement {
  const { app, report } = bench;
  const now = bench.choices().partial || report.partial === true;
  const element = h(
    "select",
    { disabled: report.returned === true },
    h("option", { value: "", selected: !now }, app.t("dataFull")),
    h("option", { value: "partial", selected: now }, app.t("dataPartial")),
  );
  element.onchange = () => bench.change({ partial: element.value === "partial" });
  return element;
}
