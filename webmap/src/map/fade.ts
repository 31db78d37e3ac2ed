/** A layer drawn fainter, whatever it is drawn with. */
import type { LayerSpecification } from "maplibre-gl";

const OPACITIES: Readonly<Record<string, readonly string[]>> = {
  circle: ["circle-opacity", "circle-stroke-opacity"],
  line: ["line-opacity"],
  fill: ["fill-opacity"],
  symbol: ["text-opacity", "icon-opacity"],
};

/** The layer with every opacity times `share`; the same one where that is 1. */
export function faded(layer: LayerSpecification, share: number): LayerSpecification {
  if (share === 1) return layer;
  const paint = (layer.paint ?? {}) as Record<string, unknown>;
  const fainter = (OPACITIES[layer.type] ?? []).map((name) => [name, times(paint[name] ?? 1, share)]);
  return { ...layer, paint: { ...paint, ...Object.fromEntries(fainter) } } as LayerSpecification;
}

// What depends on the zoom must stay outermost: its outcomes are multiplied instead of the whole.
function times(value: unknown, share: number): unknown {
  if (typeof value === "number") return value * share;
  if (!Array.isArray(value)) return value;
  if (value[0] === "interpolate") return value.map((part, at) => (at >= 4 && at % 2 === 0 ? times(part, share) : part));
  if (value[0] === "step") return value.map((part, at) => (at >= 2 && at % 2 === 0 ? times(part, share) : part));
  return ["*", value, share];
}
