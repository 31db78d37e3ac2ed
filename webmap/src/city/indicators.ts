/** What is counted and measured in the city: indicators, their figures by area or class, and their past. */
import type { Conditions } from "../page/conditions.ts";
import type { Title } from "../words/i18n.ts";
import { get } from "./api.ts";

export type Status = "ok" | "warn" | "bad";

export interface Indicator {
  name: string;
  title: Title;
  about: Title;
  unit: Title | null;
  kind: "count" | "sum" | "share" | "rate" | "distance";
  layer: string;
  /** The areas and columns by which it can be asked for. */
  by: string[];
  /** Which way is better; null: neither. */
  better: "up" | "down" | null;
  norm: Norm | null;
  decimals: number;
}

/** The last days of which a figure is, by a date of its records: today and the days before it. */
export interface Period {
  column: string;
  title: Title;
  days: number;
  /** The first of the days. */
  since: string;
}

/**
 * What a value should be. Where better is up, from `high` on it is ok, below `low` bad; where it is down, to `low` ok,
 * above `high` bad; without a better way, between the two.
 */
export interface Norm {
  low: number | null;
  high: number | null;
}

/** The records that a figure counts: a layer's that meet conditions. */
export interface Door {
  layer: string;
  conditions: Conditions;
}

export interface Value {
  key: string | null;
  title: Title;
  value: number | null;
  numerator: number | null;
  denominator: number | null;
  status: Status | null;
  door: Door | null;
  /** To what the denominator is made of. */
  denominator_door: Door | null;
}

export interface Figures {
  name: string;
  title: Title;
  about: Title;
  unit: Title | null;
  kind: Indicator["kind"];
  better: Indicator["better"];
  norm: Norm | null;
  period: Period | null;
  decimals: number;
  by: string;
  at: string;
  source: { layers: string[]; synthetic: boolean; updated: string | null };
  values: Value[];
  truncated: boolean;
}

export interface Point {
  at: string;
  value: number | null;
  /** Of now: to what is counted; of a day that has passed: to the records that were last changed on it. */
  door: Door | null;
}

export interface Past {
  points: Point[];
  /** Whether any of it is invented. */
  synthetic: boolean;
}

const part = encodeURIComponent;

export const indicators = async (signal?: AbortSignal): Promise<Indicator[]> =>
  (await get<{ indicators: Indicator[] }>("/indicators", signal)).indicators;

/** An indicator's figures, worst first, by `city`, an area or a column; in one area only if `area` names it. */
export function figures(
  name: string,
  { by = "city", area, limit }: { by?: string; area?: string; limit?: number },
  signal?: AbortSignal,
): Promise<Figures> {
  const asked = new URLSearchParams({ by });
  if (area !== undefined) asked.set("area", area);
  if (limit !== undefined) asked.set("limit", String(limit));
  return get(`/indicators/${part(name)}?${asked}`, signal);
}

/** The past of one figure, oldest first. */
export const past = (name: string, days: number, signal?: AbortSignal): Promise<Past> =>
  get(`/indicators/${part(name)}/history?by=city&days=${days}`, signal);

/** Where a file of figures is: those of a topic, or of one indicator by an area or column. */
export function reportPath(format: "csv" | "xlsx", asked: { topic: string } | { of: string; by: string }): string {
  return `/indicators.${format}?${new URLSearchParams(asked)}`;
}
