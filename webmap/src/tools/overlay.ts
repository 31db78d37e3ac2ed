/** Marks drawn on the map: areas and lines in the accent colour, with their notes and figures beside them. */
import type { Feature, FeatureCollection } from "geojson";
import type { GeoJSONSource, LayerSpecification, MapLibreMap } from "maplibre-gl";
import { TOOL } from "../map/overlays.ts";
import type { Lang } from "../words/i18n.ts";
import { figures, type Mark, toGeoJson } from "./marks.ts";

export const MARKS = `${TOOL}marks`;

/** The kind of what is no mark, but where one's text stands. */
const END = "end";

type Roles = Record<string, string>;

/** The marks with the text that stands beside each. */
export function labelled(marks: readonly Mark[], lang: Lang): FeatureCollection {
  const drawn = toGeoJson(marks);
  const features = drawn.features.map((feature, at) => {
    const mark = marks[at] as Mark;
    const label = [mark.note, figures(lang, mark)].filter(Boolean).join(" · ");
    return { ...feature, properties: { ...feature.properties, label } };
  });
  return { ...drawn, features: features.flatMap(atItsEnd) };
}

/** A line is told where it was drawn to: its text stands at the last point, since a map would write it at the first. */
function atItsEnd(feature: Feature): Feature[] {
  const { geometry, properties } = feature;
  if (geometry.type !== "LineString" || !properties?.label) return [feature];
  const end: Feature = {
    type: "Feature",
    properties: { kind: END, label: properties.label },
    geometry: { type: "Point", coordinates: geometry.coordinates.at(-1) ?? [0, 0] },
  };
  return [{ ...feature, properties: { ...properties, label: "" } }, end];
}

/** The same layers for the screen and for paper. */
export function markLayers(roles: Roles): LayerSpecification[] {
  const role = (name: string): string => roles[name] ?? "#888888";
  const of = (part: string) => ({ id: `${MARKS}-${part}`, source: MARKS }) as const;
  const round = { "line-join": "round", "line-cap": "round" } as const;
  return [
    {
      ...of("fill"),
      type: "fill",
      filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": role("warn"), "fill-opacity": 0.12 },
    },
    { ...of("casing"), type: "line", layout: round, paint: { "line-color": role("halo"), "line-width": 5 } },
    { ...of("line"), type: "line", layout: round, paint: { "line-color": role("warn"), "line-width": 2.5 } },
    {
      ...of("point"),
      type: "circle",
      filter: ["all", ["==", ["geometry-type"], "Point"], ["!=", ["get", "kind"], END]],
      paint: {
        "circle-radius": 6,
        "circle-color": role("warn"),
        "circle-stroke-color": role("halo"),
        "circle-stroke-width": 2,
      },
    },
    {
      ...of("label"),
      type: "symbol",
      layout: {
        "text-field": ["get", "label"],
        "text-font": ["City Sans"],
        "text-size": 13,
        "text-max-width": 16,
        "text-variable-anchor": ["top", "bottom", "left", "right"],
        "text-radial-offset": 0.8,
        "text-allow-overlap": true,
      },
      paint: { "text-color": role("text"), "text-halo-color": role("halo"), "text-halo-width": 1.6 },
    },
  ];
}

/** Draw the marks, or other marks, or the same in other colours. */
export function drawMarks(map: MapLibreMap, marks: readonly Mark[], lang: Lang, roles: Roles): void {
  const data = labelled(marks, lang);
  const source = map.getSource<GeoJSONSource>(MARKS);
  if (source === undefined) {
    if (marks.length === 0) return;
    map.addSource(MARKS, { type: "geojson", data });
  } else source.setData(data);
  const layers = markLayers(roles);
  const lines = `${MARKS}-line`;
  const painted = map.getLayer(lines) === undefined ? null : map.getPaintProperty(lines, "line-color");
  if (painted === roles.warn) return;
  for (const { id } of layers) if (map.getLayer(id) !== undefined) map.removeLayer(id); // in another palette's colours
  for (const layer of layers) map.addLayer(layer);
}
