/** The form: what to ask, of which records, where they lie, and what else the question takes. */
import type { Geometry } from "geojson";
import type { LonLat } from "../city/api.ts";
import { fill, h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import type { Word } from "../words/i18n.ts";
import type { Bench } from "./bench.ts";
import { button, choice, type Held, type How, held, labelled, numeral, section } from "./controls.ts";
import { filterEditor } from "./filter.ts";
import {
  ASKS,
  asked,
  countedBy,
  type Draft,
  GROUPS,
  type GroupBy,
  MOST_METRES,
  type Records,
  type Travel,
} from "./question.ts";
import { shapeEditor, whereEditor } from "./where.ts";

const GROUPED = ["code", "text", "boolean", "integer"];
const NUMERIC = ["integer", "number"];
const RESOLUTIONS = [5, 6, 7, 8, 9, 10] as const;
/** The mean area of a hexagon by resolution, in km² (h3geo.org, table of cell statistics). */
const CELL_KM2: Record<number, string> = { 5: "253", 6: "36", 7: "5.2", 8: "0.74", 9: "0.11", 10: "0.015" };
const MOST_ROWS = 50_000;

export function builder(element: HTMLElement, bench: Bench): void {
  const raw = new Set<string>();
  const draw = () => {
    const focused = document.activeElement?.id;
    fill(element, ...sections(bench, raw));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    bench.sketch.show(shapesOf(bench.draft()));
  };
  bench.onChange((how) => {
    if (how === "new") raw.clear();
    if (how !== "value") draw();
    else bench.sketch.show(shapesOf(bench.draft()));
  });
  bench.app.store.on(["lang"], draw);
  draw();
}

/** Everything drawn or picked that the question holds. */
function shapesOf(draft: Draft): Geometry[] {
  const all = [draft, draft.of, draft.per, draft.records].flatMap((records) => records?.where ?? []);
  const points = [draft.point, draft.start, draft.end].flatMap((point) =>
    point === undefined ? [] : [{ type: "Point", coordinates: point } as const],
  );
  const drawn = all.flatMap(({ geometry }) => (geometry === undefined ? [] : [geometry]));
  return [...drawn, ...(draft.geometry === undefined ? [] : [draft.geometry]), ...points];
}

function sections(bench: Bench, raw: Set<string>): (HTMLElement | null)[] {
  const { app } = bench;
  const whole = held(bench.draft(), (next: Draft, how?: How) => bench.change(next, how));
  const { ask } = whole.now();
  const kinds = choice(
    "plan-ask",
    ASKS.map((each) => [each, app.t(`planAsk_${each}` as Word)] as const),
    ask,
    (next) => whole.put(asked(next, whole.now())),
  );
  const what = section(app.t("planWhat"), kinds, h("p", { class: "hint" }, app.t(`planAbout_${ask}` as Word)));
  return [what, ...PARTS[ask](bench, whole, raw)];
}

type Part = (bench: Bench, whole: Held<Draft>, raw: Set<string>) => (HTMLElement | null)[];

const PARTS: Record<Draft["ask"], Part> = {
  select: (bench, whole, raw) => [...ofRecords(bench, whole, raw), more(bench, whole)],
  nearest: (bench, whole, raw) => [
    ...ofRecords(bench, whole, raw),
    section(
      bench.app.t("planPoint"),
      pointEditor(bench, "plan-point", whole.now().point, (point) => whole.put({ ...whole.now(), point })),
      labelled(
        bench.app.t("planK"),
        numeral("plan-k", whole.now().k, { min: 1, max: 1000, step: "1" }, (k) => put(whole, { k })),
      ),
    ),
  ],
  count: (bench, whole, raw) => [
    ...ofRecords(bench, whole, raw),
    groupEditor(bench, whole),
    perEditor(bench, whole),
    more(bench, whole),
  ],
  coverage_gap: (bench, whole, raw) => [
    ...ofRecords(bench, whole, raw),
    ofEditor(bench, whole, raw),
    more(bench, whole),
  ],
  buffer: (bench, whole, raw) => bufferEditor(bench, whole, raw),
  isochrone: (bench, whole) => isochroneEditor(bench, whole),
  route: (bench, whole) => [
    section(
      bench.app.t("planStart"),
      pointEditor(bench, "plan-start", whole.now().start, (start) => whole.put({ ...whole.now(), start })),
    ),
    section(
      bench.app.t("planEnd"),
      pointEditor(bench, "plan-end", whole.now().end, (end) => whole.put({ ...whole.now(), end })),
      travelEditor(bench, whole),
    ),
  ],
};

/** Change some parts; what is undefined goes. */
function put(whole: Held<Draft>, parts: { [K in keyof Draft]?: Draft[K] | undefined }, how: How = "value"): void {
  const next = Object.entries({ ...whole.now(), ...parts }).filter(([, value]) => value !== undefined);
  whole.put(Object.fromEntries(next) as unknown as Draft, how);
}

function ofRecords(bench: Bench, whole: Held<Draft>, raw: Set<string>): HTMLElement[] {
  const records = held<Records>(whole.now(), (next, how) => put(whole, { ...cleared, ...next }, how ?? "form"));
  return recordsEditor(bench, "plan", bench.app.t("planRecords"), records, raw);
}

const cleared = { layer: undefined, filter: undefined, where: undefined };

/** A layer, conditions on its attributes, and conditions on place. */
function recordsEditor(
  bench: Bench,
  id: string,
  title: string,
  records: Held<Records>,
  raw: Set<string>,
): HTMLElement[] {
  const { app } = bench;
  const { layer, filter, where } = records.now();
  const layers = choice(
    `${id}-layer`,
    app.city.layers.map((each) => [each.name, app.title(each.title)] as const),
    layer,
    // Another layer has other columns; where things lie still makes sense.
    (next) => {
      for (const each of raw) if (each.startsWith(`${id}-filter`)) raw.delete(each);
      records.put(without(records.now(), "filter", { layer: next }));
    },
    app.t("planChoose"),
  );
  const refilter = (next: string | undefined, how?: How) =>
    records.put(next === undefined ? without(records.now(), "filter") : { ...records.now(), filter: next }, how);
  const rewhere = (next: readonly NonNullable<Records["where"]>[number][], how?: How) =>
    records.put(next.length === 0 ? without(records.now(), "where") : { ...records.now(), where: [...next] }, how);
  const attributes = layer === undefined ? null : filterEditor(app, `${id}-filter`, layer, filter, refilter, raw);
  return [
    section(title, labelled(app.t("planLayer"), layers), attributes),
    section(app.t("planConditions"), whereEditor(bench, `${id}-where`, layer, where ?? [], rewhere, raw)),
  ];
}

function without(records: Records, part: "filter" | "where", more: Records = {}): Records {
  const { [part]: _, ...rest } = records;
  return { ...rest, ...more };
}

function ofEditor(bench: Bench, whole: Held<Draft>, raw: Set<string>): HTMLElement {
  const { app } = bench;
  const of = held<Records>(whole.now().of ?? {}, (next, how) => put(whole, { of: next }, how ?? "form"));
  const metres = numeral("plan-distance", whole.now().distance_m, { min: 1, max: MOST_METRES }, (distance_m) =>
    put(whole, { distance_m }),
  );
  const reading = choice(
    "plan-reading",
    (["distance", "uncovered"] as const).map((each) => [each, app.t(`planReading_${each}`)] as const),
    whole.now().reading ?? "distance",
    (next) => put(whole, { reading: next === "distance" ? undefined : next }),
  );
  const areal = app.city.layer(whole.now().layer ?? "")?.geometry === "MultiPolygon";
  return h(
    "div",
    {},
    ...recordsEditor(bench, "plan-of", app.t("planOf"), of, raw).slice(0, 1),
    section(
      app.t("planDistance"),
      metres,
      areal || whole.now().reading ? labelled(app.t("planReading"), reading) : null,
    ),
  );
}

function groupEditor(bench: Bench, whole: Held<Draft>): HTMLElement {
  const { app } = bench;
  const draft = whole.now();
  const by = (draft.by ?? "total") as GroupBy;
  const groups = choice(
    "plan-by",
    GROUPS.map((each) => [each, app.t(`planBy_${each}`)] as const),
    by,
    (next) => whole.put(countedBy(whole.now(), next)),
  );
  const fields = app.city.known(draft.layer ?? "")?.fields ?? [];
  const classes = choice(
    "plan-class",
    fields.filter(({ kind }) => GROUPED.includes(kind)).map(({ name, title }) => [name, app.title(title)] as const),
    draft.class_field ?? app.city.layer(draft.layer ?? "")?.classes ?? undefined,
    (class_field) => put(whole, { class_field }),
    app.t("planChoose"),
  );
  const res = choice(
    "plan-res",
    RESOLUTIONS.map((n) => [String(n), app.t("planRes_n", { n, km2: CELL_KM2[n] ?? "" })] as const),
    String(draft.res ?? 8),
    (next) => put(whole, { res: Number(next) }),
  );
  const numbers = fields.filter(({ kind }) => NUMERIC.includes(kind));
  const sums = choice(
    "plan-field",
    [["", app.t("planFieldNone")], ...numbers.map(({ name, title }) => [name, app.title(title)] as const)],
    draft.field ?? "",
    (next) => put(whole, { field: next === "" ? undefined : next }),
  );
  return section(
    app.t("planBy"),
    groups,
    by === "class" && draft.layer !== undefined ? labelled(app.t("planClassField"), classes) : null,
    by === "h3" ? labelled(app.t("planRes"), res) : null,
    numbers.length > 0 ? labelled(app.t("planField"), sums) : null,
  );
}

function perEditor(bench: Bench, whole: Held<Draft>): HTMLElement {
  const { app } = bench;
  const { per } = whole.now();
  const layers = choice(
    "plan-per",
    [["", app.t("planPerNone")], ...app.city.layers.map((each) => [each.name, app.title(each.title)] as const)],
    per?.layer ?? "",
    (next) => put(whole, { per: next === "" ? undefined : { layer: next } }),
  );
  return section(app.t("planPer"), layers);
}

function bufferEditor(bench: Bench, whole: Held<Draft>, raw: Set<string>): HTMLElement[] {
  const { app } = bench;
  const { geometry, records } = whole.now();
  const drawn = records === undefined;
  const around = choice(
    "plan-around",
    (["records", "geometry"] as const).map((each) => [each, app.t(`planAround_${each}`)] as const),
    drawn ? "geometry" : "records",
    (next) => put(whole, next === "records" ? { geometry: undefined, records: {} } : { records: undefined }, "form"),
  );
  const metres = numeral("plan-radius", whole.now().radius_m, { min: 1, max: MOST_METRES }, (radius_m) =>
    put(whole, { radius_m }),
  );
  const of = held<Records>(records ?? {}, (next, how) => put(whole, { records: next }, how ?? "form"));
  return [
    section(
      app.t("planAround"),
      around,
      drawn ? shapeEditor(bench, "plan-shape", geometry, (next) => put(whole, { geometry: next }, "form")) : null,
    ),
    ...(drawn ? [] : recordsEditor(bench, "plan-records", app.t("planRecords"), of, raw)),
    section(app.t("planRadius"), metres),
  ];
}

function isochroneEditor(bench: Bench, whole: Held<Draft>): HTMLElement[] {
  const { app } = bench;
  const input = h("input", {
    id: "plan-minutes",
    type: "text",
    inputMode: "decimal",
    value: (whole.now().minutes ?? []).join(", "),
  });
  input.oninput = () => {
    const given = input.value
      .split(/[,，、\s]+/)
      .map(Number)
      .filter((each) => each > 0 && each <= 60);
    put(whole, { minutes: given.slice(0, 4) });
  };
  return [
    section(
      app.t("planPoint"),
      pointEditor(bench, "plan-point", whole.now().point, (point) => whole.put({ ...whole.now(), point })),
    ),
    section(app.t("planMinutes"), input, travelEditor(bench, whole)),
  ];
}

function travelEditor(bench: Bench, whole: Held<Draft>): HTMLElement {
  const { app } = bench;
  const ways = choice<Travel>(
    "plan-travel",
    (["walking", "driving"] as const).map((each) => [each, app.t(`planTravel_${each}`)] as const),
    whole.now().by as Travel,
    (by) => put(whole, { by }),
  );
  return labelled(app.t("planTravel"), ways);
}

function pointEditor(bench: Bench, id: string, point: LonLat | undefined, set: (point: LonLat) => void): HTMLElement {
  const { app, sketch } = bench;
  const pick = async () => {
    const found = await sketch.pick();
    if (found !== null) set(found);
  };
  return h(
    "div",
    { class: "shape" },
    h(
      "p",
      { class: "hint" },
      point === undefined ? app.t("planDrawnNone") : point.map((each) => each.toFixed(5)).join(", "),
    ),
    h(
      "div",
      { class: "tools" },
      button(app.t("planPick"), () => void pick(), { class: "outlined", id: `${id}-pick` }),
      button(app.t("planCentre"), () => set(sketch.centre()), { class: "outlined", id: `${id}-centre` }),
    ),
  );
}

function more(bench: Bench, whole: Held<Draft>): HTMLElement {
  const { app } = bench;
  const limit = numeral("plan-limit", whole.now().limit ?? 1000, { min: 1, max: MOST_ROWS, step: "1" }, (next) =>
    put(whole, { limit: next === 1000 ? undefined : next }),
  );
  return h(
    "details",
    { class: "step more" },
    h("summary", {}, app.t("planMore")),
    labelled(app.t("planLimit"), limit, `≤ ${number(app.store.get().lang, MOST_ROWS)}`),
  );
}
