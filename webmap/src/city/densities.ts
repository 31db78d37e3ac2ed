/** How many records of a layer lie in each grid, town or county, and how large that is. */
import { get } from "./api.ts";

export const AREA_NAMES = ["grid", "town", "county"] as const;
export type AreaName = (typeof AREA_NAMES)[number];

export interface InArea {
  id: string;
  n: number;
  km2: number;
}

export interface Densities {
  layer: string;
  by: AreaName;
  at: string;
  areas: InArea[];
  /** Records that lie in none of the areas. */
  outside: number;
  truncated: boolean;
}

/** Of those records that a CQL2 filter takes; null: of all. */
export function densities(layer: string, by: AreaName, filter: string | null, signal: AbortSignal): Promise<Densities> {
  const where = filter === null ? "" : `&filter=${encodeURIComponent(filter)}`;
  return get(`/layers/${encodeURIComponent(layer)}/densities?by=${by}${where}`, signal);
}
