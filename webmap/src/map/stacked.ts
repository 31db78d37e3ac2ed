/** All that stands where the map was clicked, also what its tiles left out. */
import type { Map as MapLibre } from "maplibre-gl";
import { recordsNear } from "../city/selection.ts";
import type { App } from "../page/app.ts";
import { toCql2 } from "../page/conditions.ts";
import { leftOut } from "./cut.ts";
import type { Hit } from "./hits.ts";

// What stands on one pole has one place, but for the roundings of tiles.
const SAME_PLACE_M = 2;

interface Drawn {
  map: MapLibre;
  sourceOf(layer: string): string;
}

/** The hits and what the server knows besides; `more` when there is more than one answer holds. */
export async function stacked(
  app: App,
  { map, sourceOf }: Drawn,
  hits: readonly Hit[],
): Promise<{ hits: Hit[]; more: boolean }> {
  const cut = [...new Set(hits.map(({ layer }) => layer))].filter((name) => leftOut(map, sourceOf(name), name) > 0);
  const found = new Map(hits.map((hit) => [`${hit.layer}/${hit.id}`, hit]));
  let more = false;
  for (const layer of cut) {
    const first = hits.find((hit) => hit.layer === layer && hit.at !== null);
    if (!first?.at) continue;
    const filter = toCql2(app.store.get().conditions[layer]);
    const answer = await recordsNear(layer, first.at, { distance_m: SAME_PLACE_M, filter });
    more ||= answer.truncated;
    for (const { id, properties } of answer.records)
      if (!found.has(`${layer}/${id}`)) found.set(`${layer}/${id}`, { ...first, id, properties });
  }
  return { hits: [...found.values()], more };
}
