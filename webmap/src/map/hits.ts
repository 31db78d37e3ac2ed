/** What of the city is drawn under a point of the screen. */
import type { MapGeoJSONFeature, Map as MapLibre, Point } from "maplibre-gl";
import type { LonLat, Properties } from "../city/api.ts";
import { areaOf, layerOf, type Part, partOf } from "./style.ts";

export interface Hit {
  /** A record, a cell that counts records of the layer, or an area that is coloured by how many lie in it. */
  part: "record" | "cells" | "areas";
  layer: string;
  /** The layer that an area is a record of. */
  area: string | null;
  /** Where a point stands. */
  at: LonLat | null;
  id: string;
  properties: Properties;
  rank: number;
}

// The edge of an area is no good thing to aim at: areas are asked for by the spot inside them.
const AIMED_AT: readonly Part[] = ["record", "cells", "areas"];

/**
 * Records and cells within `radius_px`, each thing once: points, lines, surfaces, cells, and last the lines and
 * surfaces of the base map (`base` names its layers), which lie under everything that one would ask about.
 */
export function hitsAt(map: MapLibre, point: Point, radius_px: number, base: ReadonlySet<string>): Hit[] {
  const layers = map
    .getStyle()
    .layers.filter((layer) => AIMED_AT.includes(partOf(layer) as Part) && layer.layout?.visibility !== "none")
    .map((layer) => layer.id);
  const box: [[number, number], [number, number]] = [
    [point.x - radius_px, point.y - radius_px],
    [point.x + radius_px, point.y + radius_px],
  ];
  const found = new Map<string, Hit>();
  for (const feature of map.queryRenderedFeatures(box, { layers })) {
    const hit = hitOf(feature, base);
    if (hit !== null) found.set(`${hit.layer}/${hit.id}`, found.get(`${hit.layer}/${hit.id}`) ?? hit);
  }
  return [...found.values()].sort((a, b) => a.rank - b.rank);
}

function hitOf(feature: MapGeoJSONFeature, base: ReadonlySet<string>): Hit | null {
  const part = partOf(feature.layer as never);
  const layer = layerOf(feature.layer as never);
  const areaEdge = feature.layer.type === "line" && feature.geometry.type.endsWith("Polygon");
  if (layer === undefined || (part !== "record" && part !== "cells" && part !== "areas") || areaEdge) return null;
  return {
    part,
    layer,
    area: areaOf(feature.layer as never),
    at: feature.geometry.type === "Point" ? (feature.geometry.coordinates as LonLat) : null,
    id: String(feature.properties.id ?? feature.id),
    properties: feature.properties as Properties,
    rank: rankOf(part, feature.geometry.type, base.has(layer)),
  };
}

function rankOf(part: Hit["part"], geometry: string, base: boolean): number {
  if (part !== "record") return 3;
  if (geometry.endsWith("Point")) return 0;
  return (geometry.endsWith("LineString") ? 1 : 2) + (base ? 3 : 0);
}

/** The hits worth choosing from: those of the first rank. */
export function foremost(hits: readonly Hit[]): Hit[] {
  const first = hits[0];
  return first === undefined ? [] : hits.filter((hit) => hit.rank === first.rank);
}
