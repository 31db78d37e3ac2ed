/** How the records of a layer divide by the values of its columns. */
import type { Title } from "../words/i18n.ts";
import { get } from "./api.ts";

export interface FacetValue {
  /** null: none recorded. */
  value: string | null;
  title: Title | null;
  count: number;
}

export interface Facet {
  column: string;
  title: Title;
  values: FacetValue[];
  truncated: boolean;
}

export interface Facets {
  facets: Facet[];
  total: number;
}

/** Of those records that a CQL2 filter takes; null: of all. */
export function facets(layer: string, filter: string | null, signal?: AbortSignal): Promise<Facets> {
  const where = filter === null ? "" : `?filter=${encodeURIComponent(filter)}`;
  return get(`/layers/${encodeURIComponent(layer)}/facets${where}`, signal);
}
