/** The answer on the map: areas by their measure, points and lines by their class, what is picked above all. */
import type { FeatureCollection } from "geojson";
import type { ExpressionSpecification, GeoJSONSource, LayerSpecification } from "maplibre-gl";
import type { LegendRow } from "../city/api.ts";
import type { CityMap } from "../map/map.ts";
import { clip, imageOf, RADIUS_PX } from "../map/shapes.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { type Answer, type Class, classesOf } from "./answer.ts";
import type { Changed, Comparison } from "./compare.ts";
import type { Link } from "./link.ts";
import { titled } from "./table.ts";

const ANSWER = "answer";
const CHANGES = "changes";
const RAMP = ["ramp1", "ramp2", "ramp3", "ramp4", "ramp5"] as const;
const MOST_SERIES = 7;
const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };

export interface AnswerMap {
  show(answer: Answer | null): void;
  compare(comparison: Comparison | null): void;
  /** Whether the map colours by class, and the colour role of each, so that bars and map agree. */
  byClass(): boolean;
  role(at: number): string;
}

interface Break {
  from: number;
  to: number;
  role: string;
}

export function answerMap(app: App, cityMap: CityMap, link: Link, legend: HTMLElement): AnswerMap {
  const { map, roles } = cityMap;
  let answer: Answer | null = null;
  let changes: FeatureCollection = NOTHING;
  let lit = new Set<number>();

  const classes = (): Class[] =>
    answer === null ? [] : classesOf(answer, app.store.get().lang, app.t("planNotGiven"));
  const data = (): FeatureCollection => (answer === null ? NOTHING : featuresOf(answer, classes()));
  const paint = () => (answer === null ? null : painted(answer, classes(), roles(), markOf(app, answer)));

  const ensure = (): void => {
    if (!map.getSource(ANSWER)) map.addSource(ANSWER, { type: "geojson", data: data() });
    if (!map.getSource(CHANGES)) map.addSource(CHANGES, { type: "geojson", data: changes });
    const under = map.getStyle().layers.find(({ type }) => type === "symbol")?.id;
    for (const layer of layersOf(paint(), roles())) {
      if (map.getLayer(layer.id)) continue;
      map.addLayer(layer, layer.type === "fill" ? under : undefined);
    }
    for (const at of lit) map.setFeatureState({ source: ANSWER, id: at }, { lit: true });
  };
  map.on("styledata", ensure);
  if (map.isStyleLoaded()) ensure();

  const redraw = (): void => {
    for (const { id } of layersOf(paint(), roles())) if (map.getLayer(id)) map.removeLayer(id);
    map.getSource<GeoJSONSource>(ANSWER)?.setData(data());
    map.getSource<GeoJSONSource>(CHANGES)?.setData(changes);
    ensure();
    drawLegend(legend, app, answer, classes(), changes !== NOTHING);
  };
  link.on(() => {
    const hovered = link.hovered();
    const now = new Set(hovered === null ? link.picked() : [...link.picked(), hovered]);
    if (!map.getSource(ANSWER)) return;
    for (const at of lit) if (!now.has(at)) map.removeFeatureState({ source: ANSWER, id: at }, "lit");
    for (const at of now) if (!lit.has(at)) map.setFeatureState({ source: ANSWER, id: at }, { lit: true });
    lit = now;
  });
  app.store.on(["lang", "palette"], () => drawLegend(legend, app, answer, classes(), changes !== NOTHING));

  const layers = ["answer-fill", "answer-line", "answer-point"];
  const under = (point: { x: number; y: number }): number | null => {
    const there = layers.filter((id) => map.getLayer(id));
    const box: [[number, number], [number, number]] = [
      [point.x - 3, point.y - 3],
      [point.x + 3, point.y + 3],
    ];
    const [hit] = there.length === 0 ? [] : map.queryRenderedFeatures(box, { layers: there });
    return typeof hit?.id === "number" ? hit.id : null;
  };
  map.on("mousemove", ({ point }) => answer !== null && link.hover(under(point)));
  map.on("mouseout", () => link.hover(null));
  map.on("click", ({ point }) => {
    const at = answer === null ? null : under(point);
    if (at !== null) link.pick(new Set([at]));
  });

  return {
    show(next) {
      answer = next;
      lit = new Set();
      redraw();
      const bounds = next?.page.bounds;
      if (bounds) cityMap.goTo({ lon: bounds[0], lat: bounds[1], bounds });
    },
    compare(comparison) {
      changes = comparison === null ? NOTHING : changesOf(comparison);
      redraw();
    },
    byClass: () => answer !== null && answer.summary.classes !== null && breaksOf(answer).length === 0,
    role: (at) => roleOf(at),
  };
}

const roleOf = (at: number): string => (at < MOST_SERIES ? `series${at + 1}` : "series8");

function featuresOf(answer: Answer, classes: readonly Class[]): FeatureCollection {
  const measure = answer.summary.measure?.name;
  const classOf = new Map(classes.flatMap(({ rows }, at) => [...rows].map((row) => [row, at] as const)));
  const grouped = answer.summary.classes !== null;
  return {
    type: "FeatureCollection",
    features: answer.rows.flatMap(({ at, properties, geometry }) => {
      if (geometry === null) return [];
      const value = measure === undefined ? null : properties[measure];
      const told = { v: typeof value === "number" ? value : null, c: grouped ? (classOf.get(at) ?? -1) : -1 };
      return [{ type: "Feature" as const, id: at, geometry, properties: told }];
    }),
  };
}

/** Where areas change their colour: five classes with as many rows in each. */
export function breaksOf(answer: Answer): Break[] {
  const measure = answer.summary.measure?.name;
  const areal = answer.rows.some(({ geometry }) => geometry?.type.endsWith("Polygon"));
  if (measure === undefined || !areal) return [];
  const values = answer.rows
    .map(({ properties }) => properties[measure])
    .filter((value) => typeof value === "number")
    .sort((a, b) => a - b);
  const bounds = [0, 0.2, 0.4, 0.6, 0.8, 1].map(
    (share) => values[Math.min(values.length - 1, Math.floor(share * values.length))],
  );
  const found: Break[] = [];
  for (const [at, role] of RAMP.entries()) {
    const [from, to] = [bounds[at], bounds[at + 1]];
    if (from === undefined || to === undefined) continue;
    const last = found.at(-1);
    // Equal values are never put in two classes.
    if (last !== undefined && last.from === from) found[found.length - 1] = { from, to, role };
    else found.push({ from, to, role });
  }
  return found;
}

/** How the map draws the records that were asked for; undefined for areas, cells, ways. */
function markOf(app: App, answer: Answer): LegendRow | undefined {
  const { layer } = answer.page.asked;
  return layer === undefined ? undefined : app.city.known(layer)?.legend[app.store.get().palette]?.[0];
}

interface Paint {
  mark: LegendRow | undefined;
  fill: ExpressionSpecification | string;
  point: ExpressionSpecification | string;
}

function painted(
  answer: Answer,
  classes: readonly Class[],
  roles: Record<string, string>,
  mark: LegendRow | undefined,
): Paint {
  const colour = (role: string): string => roles[role] ?? "#888888";
  const breaks = breaksOf(answer);
  const pairs = classes.slice(0, MOST_SERIES).flatMap((_, at) => [at, colour(roleOf(at))]);
  const grouped = answer.summary.classes !== null && pairs.length > 0;
  const point = grouped
    ? (["match", ["get", "c"], ...pairs, colour("series8")] as unknown as ExpressionSpecification)
    : colour("accent");
  const [first, ...rest] = breaks;
  if (first === undefined) return { mark, fill: point, point };
  const steps = rest.flatMap(({ from, role }) => [from, colour(role)]);
  const value = ["coalesce", ["get", "v"], first.from];
  const fill = rest.length === 0 ? colour(first.role) : ["step", value, colour(first.role), ...steps];
  return { mark, fill: fill as ExpressionSpecification, point };
}

function layersOf(paint: Paint | null, roles: Record<string, string>): LayerSpecification[] {
  const role = (name: string): string => roles[name] ?? "#888888";
  const { fill: filling, point, mark } = paint ?? { fill: role("accent"), point: role("accent"), mark: undefined };
  const lit: ExpressionSpecification = ["boolean", ["feature-state", "lit"], false];
  const of = (kind: string): ExpressionSpecification => ["==", ["geometry-type"], kind];
  return [
    {
      id: "answer-fill",
      type: "fill",
      source: ANSWER,
      filter: of("Polygon"),
      paint: { "fill-color": filling, "fill-opacity": ["case", lit, 0.95, 0.72] },
    },
    {
      id: "answer-edge",
      type: "line",
      source: ANSWER,
      filter: of("Polygon"),
      paint: { "line-color": ["case", lit, role("select"), role("halo")], "line-width": ["case", lit, 2.5, 0.6] },
    },
    {
      id: "answer-line",
      type: "line",
      source: ANSWER,
      filter: of("LineString"),
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": ["case", lit, role("select"), point], "line-width": ["case", lit, 5, 2.5] },
    },
    pointLayer(mark, point, ["case", lit, role("select"), role("halo")], ["case", lit, 3, 1]),
    {
      id: "changes-point",
      type: "circle",
      source: CHANGES,
      paint: {
        "circle-radius": 9,
        "circle-color": role("land"),
        "circle-stroke-width": 2,
        "circle-stroke-color": [
          "match",
          ["get", "state"],
          "added",
          role("accent"),
          "gone",
          role("quiet"),
          role("warn"),
        ],
      },
    },
    {
      id: "changes-sign",
      type: "symbol",
      source: CHANGES,
      layout: {
        "text-field": ["get", "sign"],
        "text-font": ["City Sans"],
        "text-size": 14,
        "text-allow-overlap": true,
      },
      paint: { "text-color": role("text") },
    },
  ];
}

/** Points are drawn as the map draws their layer, if it has a shape. */
function pointLayer(
  mark: LegendRow | undefined,
  colour: Paint["point"],
  edge: ExpressionSpecification,
  edge_px: ExpressionSpecification,
): LayerSpecification {
  const radius = (scale: number): ExpressionSpecification => {
    const stops = [8, 2.5 * scale, 14, 5 * scale, 18, 8 * scale];
    return ["interpolate", ["linear"], ["zoom"], ...stops] as unknown as ExpressionSpecification;
  };
  const points = {
    id: "answer-point",
    source: ANSWER,
    filter: ["==", ["geometry-type"], "Point"] as ExpressionSpecification,
  };
  if (mark?.outline === undefined) {
    const paint = { "circle-radius": radius(1), "circle-color": colour };
    const stroke = { "circle-stroke-color": edge, "circle-stroke-width": edge_px };
    return { ...points, type: "circle", paint: { ...paint, ...stroke } };
  }
  return {
    ...points,
    type: "symbol",
    layout: {
      "icon-image": imageOf(mark.shape),
      "icon-size": radius(1 / RADIUS_PX),
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
    },
    paint: { "icon-color": colour, "icon-halo-color": edge, "icon-halo-width": edge_px },
  };
}

export const SIGNS = { added: "＋", gone: "－", changed: "±" } as const;

function changesOf(comparison: Comparison): FeatureCollection {
  const some = (state: keyof typeof SIGNS, list: readonly Changed[]) =>
    list.flatMap(({ key, at }) =>
      at === null
        ? []
        : [
            {
              type: "Feature" as const,
              properties: { key, state, sign: SIGNS[state] },
              geometry: { type: "Point" as const, coordinates: at },
            },
          ],
    );
  return {
    type: "FeatureCollection",
    features: [
      ...some("gone", comparison.gone),
      ...some("changed", comparison.changed),
      ...some("added", comparison.added),
    ],
  };
}

/** Three digits are enough to tell classes apart. */
const short = (lang: "zh" | "en", value: number): string =>
  number(lang, Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)), 4);

function drawLegend(
  element: HTMLElement,
  app: App,
  answer: Answer | null,
  classes: readonly Class[],
  comparing: boolean,
): void {
  const { lang } = app.store.get();
  const outline = answer === null ? undefined : markOf(app, answer)?.outline;
  const swatch = (role: string) => {
    const mark = h("span", { class: outline === undefined ? "swatch" : "swatch shaped" });
    mark.style.setProperty("background", `var(--${role})`);
    if (outline !== undefined) mark.style.setProperty("--clip", clip(outline));
    return mark;
  };
  if (comparing) {
    const words = { added: "planAdded", gone: "planGone", changed: "planChanged" } as const;
    element.hidden = false;
    fill(
      element,
      ...Object.entries(SIGNS).map(([state, sign]) =>
        h("p", {}, `${sign} ${app.t(words[state as keyof typeof words])}`),
      ),
    );
    return;
  }
  const breaks = answer === null ? [] : breaksOf(answer);
  const measure = answer?.summary.measure;
  if (breaks.length > 0 && measure) {
    fill(
      element,
      h("h3", {}, titled(app, measure)),
      ...breaks.map(({ from, to, role }, at) => {
        const end = breaks[at + 1]?.from ?? to;
        return h("p", {}, swatch(role), `${short(lang, from)} – ${short(lang, end)}`);
      }),
    );
  } else if (answer !== null && answer.summary.classes !== null && answer.page.features !== undefined) {
    const shown = classes.slice(0, MOST_SERIES);
    const rest = classes.length > MOST_SERIES ? [h("p", {}, swatch("series8"), app.t("other"))] : [];
    fill(
      element,
      h("h3", {}, app.title(answer.summary.classes.title)),
      ...shown.map(({ title }, at) => h("p", {}, swatch(roleOf(at)), title)),
      ...rest,
    );
  } else fill(element);
  element.hidden = element.childElementCount === 0;
}
