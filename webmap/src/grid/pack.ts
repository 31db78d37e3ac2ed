/** Which tiles make up the map of an area, for a phone that will be out of reach. */
import type { Bounds } from "../city/api.ts";

export interface TileId {
  z: number;
  x: number;
  y: number;
}

/** A phone keeps so many tiles of a source at most. */
export const MOST_TILES = 420;
/** Around an area, in tiles: who stands at its edge sees beyond it. */
const MARGIN = 0.25;
const FIRST_ZOOM = 11;

const { floor, log, max, min, PI, sin } = Math;

function column(lon: number, z: number): number {
  return ((lon + 180) / 360) * 2 ** z;
}

function row(lat: number, z: number): number {
  const up = sin((max(-85.05, min(85.05, lat)) * PI) / 180);
  return (0.5 - log((1 + up) / (1 - up)) / (4 * PI)) * 2 ** z;
}

/** The tiles of one zoom that hold an area. */
export function tilesAt([west, south, east, north]: Bounds, z: number): TileId[] {
  const last = 2 ** z - 1;
  const clamp = (value: number): number => max(0, min(last, floor(value)));
  const found: TileId[] = [];
  for (let x = clamp(column(west, z) - MARGIN); x <= clamp(column(east, z) + MARGIN); x++)
    for (let y = clamp(row(north, z) - MARGIN); y <= clamp(row(south, z) + MARGIN); y++) found.push({ z, x, y });
  return found;
}

/** The tiles of an area from afar to close by, as deep as `deepest` and as the bound on their number allow. */
export function tilesOf(bounds: Bounds, deepest: number, most: number = MOST_TILES): TileId[] {
  const kept: TileId[] = [];
  for (let z = FIRST_ZOOM; z <= deepest; z++) {
    const more = tilesAt(bounds, z);
    if (kept.length + more.length > most) break;
    kept.push(...more);
  }
  return kept;
}

export const tilePath = (template: string, { z, x, y }: TileId): string =>
  template.replace("{z}", String(z)).replace("{x}", String(x)).replace("{y}", String(y));

/** The smallest box around boxes; null around none. */
export function around(boxes: readonly Bounds[]): Bounds | null {
  const [first, ...rest] = boxes;
  if (first === undefined) return null;
  return rest.reduce<Bounds>(
    ([w, s, e, n], [west, south, east, north]) => [min(w, west), min(s, south), max(e, east), max(n, north)],
    first,
  );
}
