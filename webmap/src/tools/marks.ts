/** What someone drew or measured on the map: plain values, changed only by making new ones. */
import type { Feature, FeatureCollection } from "geojson";
import type { LonLat } from "../city/api.ts";
import type { Lang } from "../words/i18n.ts";
import { area_m2, circle, distance_m, length_m } from "./geodesy.ts";

/** A circle's points are its middle alone; a ring is not closed. */
export interface Mark {
  kind: "point" | "line" | "area" | "circle";
  points: readonly LonLat[];
  radius_m?: number;
  note: string;
}

const round = (value: number): number => Number(value.toFixed(6));

/** The mark of a finished sketch: its ring opened, its places to a decimetre; null for what is too short to be one. */
export function markOf(kind: Mark["kind"], positions: readonly (readonly number[])[]): Mark | null {
  const points = positions.map(([lon = 0, lat = 0]): LonLat => [round(lon), round(lat)]);
  if (kind === "circle") return circleOf(points);
  if (kind === "area" && points.length > 1 && same(points[0], points.at(-1))) points.pop();
  const distinct = points.filter((point, at) => !same(point, points[at - 1]));
  const least = { point: 1, line: 2, area: 3 }[kind];
  return distinct.length < least ? null : { kind, points: distinct, note: "" };
}

const same = (a: LonLat | undefined, b: LonLat | undefined): boolean => a?.[0] === b?.[0] && a?.[1] === b?.[1];

function circleOf(ring: readonly LonLat[]): Mark | null {
  const lons = ring.map(([lon]) => lon);
  const lats = ring.map(([, lat]) => lat);
  const [west, east] = [Math.min(...lons), Math.max(...lons)];
  // The middle of a circle that is round on the map lies in the middle of Mercator's northings.
  const northings = [Math.min(...lats), Math.max(...lats)].map((lat) => Math.asinh(Math.tan((lat * Math.PI) / 180)));
  const lat = (Math.atan(Math.sinh(((northings[0] ?? 0) + (northings[1] ?? 0)) / 2)) * 180) / Math.PI;
  const middle: LonLat = [round((west + east) / 2), round(lat)];
  const radius_m = Number(distance_m(middle, [east, middle[1]]).toFixed(1));
  return radius_m > 0 ? { kind: "circle", points: [middle], radius_m, note: "" } : null;
}

/** The closed ring of an area or a circle. */
export function ringOf(mark: Mark): LonLat[] {
  const [first] = mark.points;
  if (first === undefined) return [];
  return mark.kind === "circle" ? circle(first, mark.radius_m ?? 0) : [...mark.points, first];
}

/** What a mark measures: metres along a line, a circle's radius, square metres inside. */
export function measured(mark: Mark): { length_m?: number; radius_m?: number; area_m2?: number } {
  switch (mark.kind) {
    case "point":
      return {};
    case "line":
      return { length_m: length_m(mark.points) };
    case "area":
      return { area_m2: area_m2(mark.points), length_m: length_m(ringOf(mark)) };
    case "circle":
      return { radius_m: mark.radius_m ?? 0, area_m2: area_m2(ringOf(mark)) };
  }
}

/** "862 m", "6.574 km": four digits, and never less than a decimetre. */
export function lengthText(lang: Lang, metres: number): string {
  return metres < 1000 ? `${digits(lang, metres, 1)} m` : `${digits(lang, metres / 1000, 3)} km`;
}

/** "14,305 m²", "419.12 km²". */
export function areaText(lang: Lang, squareMetres: number): string {
  return squareMetres < 1e6 ? `${digits(lang, squareMetres, 0)} m²` : `${digits(lang, squareMetres / 1e6, 3)} km²`;
}

/** 666.67 m² to the mu, in which land is still counted. */
export function muText(lang: Lang, squareMetres: number): string {
  return digits(lang, (squareMetres * 3) / 2000, 2);
}

function digits(lang: Lang, value: number, most: number): string {
  const fewer = value >= 1000 ? Math.min(most, 1) : value >= 100 ? Math.min(most, 2) : most;
  return value.toLocaleString(lang === "zh" ? "zh-CN" : "en-GB", { maximumFractionDigits: fewer });
}

/** The figures of a mark in one line, the more telling first. */
export function figures(lang: Lang, mark: Mark): string {
  const { length_m, radius_m, area_m2 } = measured(mark);
  return [
    radius_m === undefined ? "" : `R ${lengthText(lang, radius_m)}`,
    area_m2 === undefined ? "" : areaText(lang, area_m2),
    length_m === undefined || area_m2 !== undefined ? "" : lengthText(lang, length_m),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** The marks as GeoJSON, with their notes and figures as properties. */
export function toGeoJson(marks: readonly Mark[]): FeatureCollection {
  return { type: "FeatureCollection", features: marks.map(featureOf) };
}

function featureOf(mark: Mark): Feature {
  const figures = Object.entries(measured(mark)).map(([name, value]) => [name, Number(value.toFixed(2))]);
  const properties = { kind: mark.kind, note: mark.note, ...Object.fromEntries(figures) };
  const [first = [0, 0]] = mark.points;
  switch (mark.kind) {
    case "point":
      return { type: "Feature", properties, geometry: { type: "Point", coordinates: first } };
    case "line":
      return { type: "Feature", properties, geometry: { type: "LineString", coordinates: [...mark.points] } };
    default:
      return { type: "Feature", properties, geometry: { type: "Polygon", coordinates: [ringOf(mark)] } };
  }
}
