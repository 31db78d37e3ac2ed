/** From when to when the dates of a column reach: the first and the last record tell. */
import type { FeatureCollection } from "geojson";
import { get } from "./api.ts";

/** Two dates (YYYY-MM-DD, in the time of the city), or null where none is recorded. */
export async function span(layer: string, column: string, signal: AbortSignal): Promise<[string, string] | null> {
  const ask = async (order: string): Promise<string | null> => {
    const query = new URLSearchParams({ filter: `${column} IS NOT NULL`, sortby: order + column, limit: "1" });
    const found = await get<FeatureCollection>(`/ogc/collections/${encodeURIComponent(layer)}/items?${query}`, signal);
    const value: unknown = found.features[0]?.properties?.[column];
    return typeof value === "string" ? value : null;
  };
  const [first, last] = await Promise.all([ask(""), ask("-")]);
  return first === null || last === null ? null : [dateOf(first), dateOf(last)];
}

/** The day of a date or a moment, in the time of the city. */
export function dateOf(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return text;
  return new Date(text).toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });
}
