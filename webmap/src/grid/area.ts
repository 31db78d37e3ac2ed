/** The map of the worker's own grid, kept on the phone: its outline, and the tiles that show it. */
import type { Geometry } from "geojson";
import { authorization, type Bounds, get, type Item, Refused } from "../city/api.ts";
import { boundsOf } from "../map/geometry.ts";
import type { Kept } from "./kept.ts";
import { around, tilePath, tilesOf } from "./pack.ts";
import { AREA } from "./rules.ts";
import type { Who } from "./who.ts";

const FACT = "area";
const OLD_MS = 24 * 3_600_000;
const AT_ONCE = 6;
const MOST_AREAS = 12;
const GRID_DIGITS = 15;
const LAYERS: Readonly<Record<number, string>> = { 6: "county", 9: "town", [GRID_DIGITS]: "grid" };

export interface Area {
  /** The codes that it was made for. */
  areas: readonly string[];
  names: readonly string[];
  bounds: Bounds;
  outlines: readonly Geometry[];
  /** When its tiles were kept, and how many they are; null: not yet. */
  keptAt: string | null;
  tiles: number;
  templates: readonly string[];
}

/** Where the worker works, as the server has it or as it was known last; null where no area is told. */
export async function areaOf(kept: Kept, who: Who): Promise<Area | null> {
  const areas = (who.areas ?? []).filter((code) => code.length in LAYERS).slice(0, MOST_AREAS);
  const before = (await kept.fact<Area | null>(FACT)) ?? null;
  if (before !== null && before.areas.join() === areas.join()) return before;
  const items = (await Promise.all(areas.map(itemOf))).filter((item) => item !== null);
  const bounds = around(items.map(({ geometry }) => boundsOf(geometry)));
  if (bounds === null) return null;
  const names = items.map(({ properties }) => String(properties.name ?? ""));
  const area: Area = {
    areas,
    names,
    bounds,
    outlines: items.map(({ geometry }) => geometry),
    keptAt: null,
    tiles: 0,
    templates: [],
  };
  await kept.setFact(FACT, area);
  return area;
}

/** An area of the scope; null for one that the map does not have (any more): who answers for it works on without. */
async function itemOf(code: string): Promise<Item | null> {
  try {
    return await get<Item>(`/items/${LAYERS[code.length]}/${encodeURIComponent(code)}`);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

/** Whether the map should be kept anew: another area, other layers, or a day old. */
export const isOld = ({ keptAt, templates }: Area, drawn: readonly string[], now: number): boolean =>
  keptAt === null || now - Date.parse(keptAt) > OLD_MS || templates.join() !== drawn.join();

/** Keep every tile of the area anew; what was kept stays until all have come. */
export async function keepArea(kept: Kept, area: Area, templates: readonly string[], deepest: number): Promise<Area> {
  const tiles = tilesOf(area.bounds, deepest);
  const paths = templates.flatMap((template) => tiles.map((tile) => tilePath(template, tile)));
  const cache = await caches.open(AREA);
  for (let from = 0; from < paths.length; from += AT_ONCE) {
    await Promise.all(
      paths.slice(from, from + AT_ONCE).map(async (path) => {
        const response = await fetch(path, { headers: authorization() });
        if (!response.ok) throw new Error(String(response.status));
        await cache.put(path, response);
      }),
    );
  }
  const wanted = new Set(paths.map((path) => new URL(path, location.origin).href));
  for (const { url } of await cache.keys())
    if (new URL(url).pathname.endsWith(".mvt") && !wanted.has(url)) await cache.delete(url);
  const now: Area = { ...area, keptAt: new Date().toISOString(), tiles: paths.length, templates };
  await kept.setFact(FACT, now);
  return now;
}
