/** The shades of the areas that are coloured now: counted by the server, counted anew when the city changes. */
import type { MapLibreMap } from "maplibre-gl";
import { Refused } from "../city/api.ts";
import { AREA_NAMES, type AreaName, type Densities, densities } from "../city/densities.ts";
import { atMostEvery } from "../city/pace.ts";
import type { App } from "../page/app.ts";
import { toCql2 } from "../page/conditions.ts";
import { areaRanges, areaSource, isArea, type Shades, shadesOf } from "./choropleth.ts";
import type { DensityRange } from "./style.ts";

const RECOUNT_MS = 5_000;

export interface Shading {
  /** What is coloured at this zoom; null while nothing is, or it is not known yet. */
  current(): Shades | null;
  /** Why there is none, if the server would not say. */
  refused(): string | null;
  /** How many records are drawn as areas or heat, of those that must meet conditions; null: not known. */
  matching(): number | null;
  /** Records of a layer (null: of any) changed. */
  changed(layer: string | null): void;
  /** The map was given its sources anew. */
  again(): void;
  on(listener: () => void): void;
}

interface Asked {
  layer: string;
  by: AreaName;
  filter: string | null;
  /** Only how many there are is asked. */
  heat: boolean;
}

// Zooming to and fro between grids and towns asks once.
const KEPT = 4;

/** `ranges` tells which density the map shows. */
export function createShading(app: App, map: MapLibreMap, ranges: () => readonly DensityRange[]): Shading {
  const { store, city } = app;
  const listeners = new Set<() => void>();
  let asked: Asked | null = null;
  let found: Densities | null = null;
  let shades: Shades | null = null;
  let why: string | null = null;
  let asking = new AbortController();
  const kept = new Map<string, Densities>();

  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const areaNames = Object.fromEntries(
    AREA_NAMES.flatMap((name) => {
      const area = city.layer(name);
      return area ? [[name, area.minzoom]] : [];
    }),
  );
  const wanted = (): Asked | null => {
    const range = ranges().find(({ look }) => look === "heat" || isArea(look));
    if (range === undefined) return null;
    const { layer, look } = range;
    const filter = toCql2(store.get().conditions[layer]);
    if (!isArea(look)) {
      const known = filter !== null && city.layer("county") !== undefined;
      return known ? { layer, by: "county", filter, heat: true } : null;
    }
    const zoom = map.getZoom();
    const at = areaRanges(look, areaNames).find(({ from, to }) => zoom >= from && zoom < to);
    return at === undefined ? null : { layer, by: at.area, filter, heat: false };
  };

  const paint = (): void => {
    for (const name of AREA_NAMES) {
      const target = { source: areaSource(name), sourceLayer: name };
      if (map.getSource(target.source) === undefined) continue;
      map.removeFeatureState(target);
      if (shades?.by !== name) continue;
      for (const [id, { shade }] of shades.areas) map.setFeatureState({ ...target, id }, { shade });
    }
  };
  const classify = (): void => {
    shades = found === null || asked?.heat ? null : shadesOf(found, store.get().breaks);
    tell(); // the map is drawn in so many classes before the areas are told theirs
    paint();
  };
  const ask = async (question: Asked): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      found = await densities(question.layer, question.by, question.filter, signal);
      keep(question, found);
      why = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refused))
        recount(); // a server that is away comes back
      else {
        found = null;
        why = error.message;
      }
    }
    if (!signal.aborted) classify();
  };
  const keep = (question: Asked, densities: Densities): void => {
    kept.set(JSON.stringify(question), densities);
    for (const key of [...kept.keys()].slice(0, -KEPT)) kept.delete(key);
  };
  const recount = atMostEvery(RECOUNT_MS, () => {
    kept.clear();
    if (asked !== null) void ask(asked);
  });
  const look = (): void => {
    const next = wanted();
    if (JSON.stringify(next) === JSON.stringify(asked)) return;
    const same = next !== null && next.layer === asked?.layer && next.by === asked.by && next.heat === asked.heat;
    asked = next;
    const known = kept.get(JSON.stringify(next));
    why = null;
    if (!same || known) {
      asking.abort();
      found = known ?? null;
      classify();
    }
    if (next !== null && !known) void ask(next);
  };
  map.on("zoom", look);
  store.on(["layers", "looks", "conditions", "density"], look);
  store.on(["breaks"], classify);
  look();

  return {
    current: () => shades,
    refused: () => why,
    matching: () => found?.areas.reduce((sum, { n }) => sum + n, found.outside) ?? null,
    changed(layer) {
      for (const [key, each] of kept) if (layer === null || layer === each.layer || layer === each.by) kept.delete(key);
      if (asked !== null && (layer === null || layer === asked.layer || layer === asked.by)) recount();
    },
    again: paint,
    on: (listener) => void listeners.add(listener),
  };
}
