/** Symbols drawn from outlines: as signed distances for the map, which colours and edges them, and as a clip for swatches. */
import type { MapLibreMap } from "maplibre-gl";

/** Corners, x to the right and y downwards, from the middle. */
export type Outline = readonly (readonly [x: number, y: number])[];

/** Over so many pixels MapLibre reads distances out of an image: its edges and halos live there. */
const SPREAD_PX = 8;
/** The value on the very edge. */
const EDGE = 0.75;
/** An image at its natural size has as many pixels to the radius, as the server makes its styles for. */
export const RADIUS_PX = 12;
/** How far the widest outline of a legend reaches, in radii. */
const REACH = 1.5;

export interface Picture {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

/** The name of a shape's image in the server's styles. */
export const imageOf = (shape: string): string => `shape-${shape}`;

/** Draw what the style's symbols name from the outlines of the style in use. */
export function drawShapes(map: MapLibreMap, shapes: () => Readonly<Record<string, Outline>>): void {
  map.setMissingStyleImageResolver((id) => {
    const outline = shapes()[id];
    if (outline !== undefined && !map.hasImage(id)) map.addImage(id, distances(outline), { sdf: true });
    return Promise.resolve();
  });
}

/** The distance of every pixel from the outline in its alpha, greater inside. */
export function distances(outline: Outline): Picture {
  const reach = Math.max(...outline.flat().map(Math.abs));
  const side = 2 * Math.ceil(reach + SPREAD_PX);
  const data = new Uint8ClampedArray(side * side * 4);
  for (let at = 0; at < side * side; at += 1) {
    const [x, y] = [(at % side) + 0.5 - side / 2, Math.floor(at / side) + 0.5 - side / 2];
    data[at * 4 + 3] = Math.round(255 * (EDGE - outside(outline, x, y) / SPREAD_PX));
  }
  return { width: side, height: side, data };
}

/** How far a point lies outside an outline; less than nothing inside. */
function outside(outline: Outline, x: number, y: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  let inside = false;
  for (const [at, [bx, by]] of outline.entries()) {
    const [ax, ay] = outline.at(at - 1) as readonly [number, number];
    const [dx, dy] = [bx - ax, by - ay];
    const along = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
    nearest = Math.min(nearest, Math.hypot(x - ax - along * dx, y - ay - along * dy));
    if (ay > y !== by > y && x < ax + ((y - ay) / dy) * dx) inside = !inside;
  }
  return inside ? -nearest : nearest;
}

/** The outline as a CSS clip of a square box. */
export function clip(outline: Outline): string {
  const share = (value: number): string => `${Number((50 + (50 * value) / REACH).toFixed(1))}%`;
  return `polygon(${outline.map(([x, y]) => `${share(x)} ${share(y)}`).join(",")})`;
}
