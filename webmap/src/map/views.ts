/** Where cameras look: the sector of heading, field of view and range, as an area on the map. */
import type { Feature, FeatureCollection, Geometry, Polygon } from "geojson";

const METRES_PER_DEGREE = 111_320;
const STEP_DEG = 6;

export interface Camera {
  lon: number;
  lat: number;
  heading_deg: number;
  hfov_deg: number;
  range_m: number;
}

export const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };

/** The sector on the ground; at such distances (under a kilometre) the ellipsoid does not show. */
export function sector({ lon, lat, heading_deg, hfov_deg, range_m }: Camera): Feature<Polygon> {
  const steps = Math.max(1, Math.ceil(hfov_deg / STEP_DEG));
  const arc = Array.from({ length: steps + 1 }, (_, step) => {
    const bearing = ((heading_deg - hfov_deg / 2 + (hfov_deg * step) / steps) * Math.PI) / 180;
    const east = (range_m * Math.sin(bearing)) / (METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180));
    return [lon + east, lat + (range_m * Math.cos(bearing)) / METRES_PER_DEGREE];
  });
  const ring = hfov_deg >= 360 ? arc : [[lon, lat], ...arc, [lon, lat]];
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}

/** The sector of a record that says which way it looks, how wide and how far; null for any other. */
export function sectorOf(geometry: Geometry, properties: Record<string, unknown>): Feature<Polygon> | null {
  const { heading_deg, hfov_deg, range_m } = properties;
  if (geometry.type !== "Point" || typeof heading_deg !== "number") return null;
  if (typeof hfov_deg !== "number" || typeof range_m !== "number") return null;
  const [lon = 0, lat = 0] = geometry.coordinates;
  return sector({ lon, lat, heading_deg, hfov_deg, range_m });
}
