/** Extent and middle of a GeoJSON geometry. */
import type { Geometry } from "geojson";
import type { Bounds, LonLat } from "../city/api.ts";

function* positions(geometry: Geometry): Generator<LonLat> {
  if (geometry.type === "GeometryCollection") {
    for (const part of geometry.geometries) yield* positions(part);
  } else yield* nested(geometry.coordinates);
}

function* nested(coordinates: unknown): Generator<LonLat> {
  if (!Array.isArray(coordinates)) return;
  if (typeof coordinates[0] === "number") yield coordinates as LonLat;
  else for (const part of coordinates) yield* nested(part);
}

/** West, south, east, north. */
export function boundsOf(geometry: Geometry): Bounds {
  const bounds: Bounds = [180, 90, -180, -90];
  for (const [lon, lat] of positions(geometry)) {
    bounds[0] = Math.min(bounds[0], lon);
    bounds[1] = Math.min(bounds[1], lat);
    bounds[2] = Math.max(bounds[2], lon);
    bounds[3] = Math.max(bounds[3], lat);
  }
  return bounds;
}

/** The point itself, a line's middle vertex (which lies on it), or the middle of an area's extent. */
export function middleOf(geometry: Geometry): LonLat {
  const all = [...positions(geometry)];
  if (!geometry.type.endsWith("Polygon") && all.length > 0) return all[Math.floor(all.length / 2)] as LonLat;
  const [west, south, east, north] = boundsOf(geometry);
  return [(west + east) / 2, (south + north) / 2];
}
