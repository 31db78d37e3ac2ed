/** Hover both ways: what a list points at is marked on the map, and what the pointer is over lights up in panels. */
import type { Geometry, Position } from "geojson";
import type { Hit } from "../map/hits.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import type { Hovered } from "../page/state.ts";
import { pointedAt } from "./lines.ts";

/** Mark the line of a list that is pointed at where it stands, drawn on the map or not. */
export function traceLines(app: App, cityMap: CityMap): void {
  let traced: Geometry | null = null;
  app.store.on(["hovered"], () => {
    const now = pointedAt(app);
    if (now === traced) return;
    traced = now;
    cityMap.trace(...(now === null ? [] : [now]));
  });
}

/**
 * What under the pointer a list or a panel could light up: a record, what tells it from others, or an area; null where
 * none of them would. `wanted` are the columns that panels tell apart, by layer.
 */
export function worthLighting(
  app: App,
  cityMap: CityMap,
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
  hit: Hit | null,
  at: Position,
): Hovered | null {
  const { listed, layers } = app.store.get();
  const record = hit?.part === "record" ? hit : null;
  if (record !== null && record.layer === listed) return { layer: record.layer, column: "id", value: record.id };
  const column = [...(wanted.get(record?.layer ?? "") ?? [])].find((name) => name in (record?.properties ?? {}));
  if (record !== null && column !== undefined)
    return { layer: record.layer, column, value: String(record.properties[column] ?? "") };
  for (const [layer, names] of wanted) {
    const area = names.has("grid_id") ? "grid" : names.has("admin_code") ? finest(layers) : null;
    const value = area === null ? null : areaAt(cityMap, area, at);
    if (value !== null) return { layer, column: area === "grid" ? "grid_id" : "admin_code", value };
  }
  return null;
}

const finest = (layers: readonly string[]): string => (layers.includes("town") ? "town" : "county");

/** The id of the area of a layer that holds a point, as far as its tiles are drawn. */
function areaAt({ map, sourceOf }: CityMap, layer: string, at: Position): string | null {
  if (map.getSource(sourceOf(layer)) === undefined) return null;
  const areas = map.querySourceFeatures(sourceOf(layer), { sourceLayer: layer });
  const holds = areas.find(({ geometry }) => inside(geometry, at));
  return holds ? String(holds.properties.id ?? holds.id) : null;
}

/** Whether an area holds a point: the even-odd rule over all its rings. */
export function inside(geometry: Geometry, [x = 0, y = 0]: Position): boolean {
  const rings =
    geometry.type === "Polygon"
      ? geometry.coordinates
      : geometry.type === "MultiPolygon"
        ? geometry.coordinates.flat()
        : [];
  let odd = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [[ax = 0, ay = 0] = [], [bx = 0, by = 0] = []] = [ring[i], ring[j]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
    }
  }
  return odd;
}
