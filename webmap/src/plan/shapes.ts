/** How large a drawn shape is, near enough to be said beside it. */
import type { Geometry, Position } from "geojson";

const METRES_PER_DEGREE = 111_320;

/** "3.2 km²", "1.4 km" or "120.86, 32.01". */
export function sizeOf(geometry: Geometry): string {
  if (geometry.type === "Point") return geometry.coordinates.map((each) => each.toFixed(5)).join(", ");
  if (geometry.type === "LineString") return `${trimmed(lengthM(geometry.coordinates) / 1e3)} km`;
  if (geometry.type === "Polygon") return `${trimmed(areaM2(geometry.coordinates) / 1e6)} km²`;
  return geometry.type;
}

const trimmed = (value: number): string => String(Number(value.toPrecision(3)));

function flat(ring: readonly Position[]): [number, number][] {
  const lat = ((ring[0]?.[1] ?? 0) * Math.PI) / 180;
  return ring.map(([lon = 0, y = 0]) => [lon * METRES_PER_DEGREE * Math.cos(lat), y * METRES_PER_DEGREE]);
}

function lengthM(line: readonly Position[]): number {
  const points = flat(line);
  return points.slice(1).reduce((sum, [x, y], at) => {
    const [px, py] = points[at] ?? [x, y];
    return sum + Math.hypot(x - px, y - py);
  }, 0);
}

function areaM2(rings: readonly (readonly Position[])[]): number {
  return rings.reduce((sum, ring, at) => sum + (at === 0 ? 1 : -1) * Math.abs(shoelace(flat(ring))), 0);
}

function shoelace(points: readonly [number, number][]): number {
  return (
    points.reduce((sum, [x, y], at) => {
      const [nx, ny] = points[(at + 1) % points.length] ?? [x, y];
      return sum + x * ny - nx * y;
    }, 0) / 2
  );
}
