/** In which ways a layer can be looked at, and what the map shows of a chosen one. */
import type { LayerSummary } from "../city/api.ts";
import { AREA_NAMES } from "../city/densities.ts";
import type { Look, State } from "../page/state.ts";

const LEAST_ZOOM = 6;

/** Whether the server counts a layer in cells from afar. */
export const hasCells = ({ minzoom }: Pick<LayerSummary, "minzoom">): boolean => minzoom > LEAST_ZOOM;

/** The looks that make sense: no heat of lines and surfaces, no shares of areas in areas, no density of the base map. */
export function looksFor(
  layer: Pick<LayerSummary, "group" | "geometry" | "minzoom">,
  known: (name: string) => boolean,
): Look[] {
  const areas = layer.group === "area" ? [] : AREA_NAMES.filter(known);
  const counted = layer.geometry.endsWith("LineString") ? [] : areas;
  return [
    "symbol",
    ...(hasCells(layer) ? (["cells"] as const) : []),
    ...(layer.geometry.endsWith("Point") ? (["heat"] as const) : []),
    ...counted,
  ];
}

/** One ramp a screen: who chooses a density for one layer puts another one's away. */
export function withLook(state: Pick<State, "looks" | "density">, layer: string, look: Look): Partial<State> {
  if (look !== "symbol") return { looks: { [layer]: look }, density: layer };
  const { [layer]: _, ...others } = state.looks;
  return { looks: others };
}
