/** The map's style for a wall: few names, in type that can be read from afar, and symbols in proportion. */
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import { partOf } from "../map/style.ts";
import type { Scale } from "./scale.ts";

/** Desk sizes are made for a caption of 12 px; surfaces of lines grow less than points, or roads would flood the city. */
const DESK_PX = 12;
/** The names that a wall shows, and by how many zooms later than a desk. */
const NAMES: Record<string, number> = { "county-label": 0, "town-label": 1, "road-label": 0.5, "place-label": 1 };
/** Places are named or not there: a dot that nobody can read the name of is noise. */
const NAMELESS = "place-circle";
const LATIN = [..."0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"];

/** `closer`: by how many zooms this screen is nearer than one of 1920×1080 when both show the same. */
export function dressed(style: StyleSpecification, scale: Scale, closer: number): StyleSpecification {
  return { ...style, layers: style.layers.map((layer) => layerFor(layer, scale, closer)) };
}

function layerFor(layer: LayerSpecification, scale: Scale, closer: number): LayerSpecification {
  const grown = scale.han / DESK_PX;
  switch (layer.type) {
    case "symbol":
      if (partOf(layer) === "record") return symbol(layer, grown * 0.7);
      return layer.id in NAMES ? later(named(layer, scale), closer + (NAMES[layer.id] ?? 0)) : without(layer);
    case "circle":
      if (layer.id === NAMELESS) return without(layer);
      return painted(layer, { "circle-radius": grown * 0.7, "circle-stroke-width": grown * 0.5 });
    case "line":
      return painted(layer, { "line-width": Math.sqrt(grown) });
    default:
      return layer;
  }
}

function later(layer: LayerSpecification, by: number): LayerSpecification {
  const { minzoom, maxzoom } = layer;
  const last = 24;
  return {
    ...layer,
    ...(minzoom === undefined ? {} : { minzoom: Math.min(last, Math.max(0, minzoom + by)) }),
    ...(maxzoom === undefined ? {} : { maxzoom: Math.min(last, Math.max(0, maxzoom + by)) }),
  };
}

function without(layer: LayerSpecification): LayerSpecification {
  return { ...layer, layout: { ...layer.layout, visibility: "none" } } as LayerSpecification;
}

function named(layer: LayerSpecification & { type: "symbol" }, { han, latin }: Scale): LayerSpecification {
  const grown = han / DESK_PX;
  const text = layer.layout?.["text-field"] ?? "";
  const low = LATIN.map((letter): ExpressionSpecification => ["in", letter, ["to-string", text as string]]);
  const { "text-variable-anchor-offset": beside, ...layout } = layer.layout ?? {};
  return {
    ...layer,
    layout: {
      ...layout,
      // Sides are given for a desk's type and room.
      ...(beside === undefined ? {} : { "text-variable-anchor": ["left", "right", "top", "bottom"] }),
      ...(beside === undefined ? {} : { "text-radial-offset": 0.6 }),
      "text-size": ["case", ["any", ...low], latin, han],
      "text-padding": han / 4,
      "text-max-width": 8,
      "symbol-spacing": han * 24,
    },
    paint: { ...layer.paint, "text-halo-width": Math.min(1.5 * grown, han / 5) },
  } as LayerSpecification;
}

function symbol(layer: LayerSpecification & { type: "symbol" }, factor: number): LayerSpecification {
  const size = times(layer.layout?.["icon-size"], factor);
  const larger = { ...layer, layout: { ...layer.layout, "icon-size": size } } as LayerSpecification;
  return painted(larger, { "icon-halo-width": factor });
}

function painted(layer: LayerSpecification, by: Record<string, number>): LayerSpecification {
  const paint: Record<string, unknown> = { ...layer.paint };
  for (const [name, factor] of Object.entries(by)) {
    if (paint[name] !== undefined) paint[name] = times(paint[name], factor);
  }
  return { ...layer, paint } as LayerSpecification;
}

/** A number or expression times a factor; expressions of the zoom stay outermost, as the style language wants it. */
export function times(value: unknown, factor: number): unknown {
  if (typeof value === "number") return value * factor;
  if (!Array.isArray(value)) return value;
  const [kind] = value as unknown[];
  const outputs = kind === "interpolate" ? 4 : kind === "step" ? 2 : null;
  if (outputs === null) return ["*", factor, value];
  return value.map((part, index) => (index >= outputs && (index - outputs) % 2 === 0 ? times(part, factor) : part));
}
