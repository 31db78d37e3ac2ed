/** What a topic's panels show: asked of the server together, each question once. */
import { Refused } from "../city/api.ts";
import { type Facet, facets } from "../city/facets.ts";
import * as ask from "../city/indicators.ts";
import type { Panel, Topic } from "../city/topics.ts";
import { type Conditions, toCql2 } from "../page/conditions.ts";
import type { KeyFigure } from "./figures.ts";

export type Data =
  | { kind: "figures"; figures: KeyFigure[] }
  | { kind: "bars"; figures: KeyFigure; top: number }
  | { kind: "series"; figures: KeyFigure }
  | { kind: "table"; columns: KeyFigure[]; top: number }
  | { kind: "statuses"; layer: string; facet: Facet; conditions: Conditions; at: string }
  | { kind: "legend" };

const TREND_DAYS = 30;
const BARS = 8;
const ROWS = 100;
const MOST_VALUES = 200;
const NO_PAST: ask.Past = { points: [], synthetic: false };

/** One round of asking: what several panels need is asked for once. */
export interface Round {
  panel(panel: Panel): Promise<Data | null>;
}

/** `topic` gives the conditions under which its layers are shown; `now` is the clock of whoever reads. */
export function askingRound(topic: Pick<Topic, "layers">, signal: AbortSignal, now: () => number = Date.now): Round {
  const asked = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, question: () => Promise<T>): Promise<T> => {
    const answer = (asked.get(key) as Promise<T> | undefined) ?? question();
    asked.set(key, answer);
    return answer;
  };
  const figure = async (name: string, by: string, days: number | null): Promise<KeyFigure> => {
    const [figures, history] = await Promise.all([
      once(`${name}?${by}`, () => ask.figures(name, by === "city" ? {} : { by, limit: MOST_VALUES }, signal)),
      days === null ? NO_PAST : once(`${name}/${days}`, () => ask.past(name, days, signal)),
    ]);
    return { figures, past: history.points, pastIsSynthetic: history.synthetic };
  };
  const several = async (names: readonly string[], by: string, days: number | null) =>
    (await Promise.all(names.map((name) => orAbsent(figure(name, by, days))))).filter((each) => each !== null);

  const statuses = async (layer: string, column: string): Promise<Data | null> => {
    const conditions = topic.layers.find((each) => each.layer === layer)?.conditions ?? {};
    const filter = toCql2(conditions);
    const found = await once(`${layer}?${filter}`, () => facets(layer, filter, signal));
    const facet = found.facets.find((each) => each.column === column);
    return facet ? { kind: "statuses", layer, facet, conditions, at: new Date(now()).toISOString() } : null;
  };
  const read = async (panel: Panel): Promise<Data | null> => {
    switch (panel.kind) {
      case "figures": {
        const figures = await several(panel.indicators, "city", TREND_DAYS);
        return figures.length === 0 ? null : { kind: "figures", figures };
      }
      case "bars":
        return { kind: "bars", figures: await figure(panel.indicator, panel.by, null), top: panel.top ?? BARS };
      case "series":
        return { kind: "series", figures: await figure(panel.indicator, "city", panel.days ?? TREND_DAYS) };
      case "table": {
        const columns = await several(panel.indicators, panel.by, null);
        return columns.length === 0 ? null : { kind: "table", columns, top: panel.top ?? ROWS };
      }
      case "statuses":
        return statuses(panel.layer, panel.column);
      case "legend":
        return { kind: "legend" };
    }
  };
  return { panel: (panel) => orAbsent(read(panel)) };
}

/** What the server does not have, or not for this page, is no failure: it is absent. */
async function orAbsent<T>(answer: Promise<T | null>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

/** The layers whose changes change the data. */
export function layersOf(data: Data): string[] {
  switch (data.kind) {
    case "figures":
      return data.figures.flatMap(({ figures }) => figures.source.layers);
    case "bars":
    case "series":
      return data.figures.figures.source.layers;
    case "table":
      return data.columns.flatMap(({ figures }) => figures.source.layers);
    case "statuses":
      return [data.layer];
    case "legend":
      return [];
  }
}

/** Of when the data is: the oldest of its figures; null where it has no time. */
export function timeOf(data: Data): string | null {
  const times = (each: readonly KeyFigure[]) => each.map(({ figures }) => figures.at).sort()[0] ?? null;
  switch (data.kind) {
    case "figures":
      return times(data.figures);
    case "bars":
    case "series":
      return times([data.figures]);
    case "table":
      return times(data.columns);
    case "statuses":
      return data.at;
    case "legend":
      return null;
  }
}

/** Whether any of the data is invented. */
export function isSynthetic(data: Data): boolean {
  const invented = ({ figures, pastIsSynthetic }: KeyFigure) => figures.source.synthetic || pastIsSynthetic;
  switch (data.kind) {
    case "figures":
      return data.figures.some(invented);
    case "bars":
    case "series":
      return invented(data.figures);
    case "table":
      return data.columns.some(invented);
    default:
      return false;
  }
}
