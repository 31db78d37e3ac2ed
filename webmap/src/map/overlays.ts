/** What tools add to the map beside the city's style: it stays when the style is composed anew. */
import type { StyleSpecification } from "maplibre-gl";

/** Sources and layers of tools begin with one of these. */
export const SKETCH = "td";
export const TOOL = "tool-";
export const added = (id: string): boolean => id.startsWith(TOOL) || id.startsWith(`${SKETCH}-`);

/** For `setStyle`: the next style with what tools had added to the one before, on top of everything. */
export function keepOverlays(before: StyleSpecification | undefined, next: StyleSpecification): StyleSpecification {
  if (before === undefined) return next;
  const sources = Object.entries(before.sources).filter(([id]) => added(id));
  const layers = before.layers.filter((layer) => added(layer.id));
  return {
    ...next,
    sources: { ...next.sources, ...Object.fromEntries(sources) },
    layers: [...next.layers, ...layers],
  };
}
