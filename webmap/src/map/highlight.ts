/** What a panel points at, lit up on the map: a ring or a wider line around the records or areas that are meant. */
import type { LayerSpecification } from "maplibre-gl";
import type { Hovered } from "../page/state.ts";
import { areaSource } from "./choropleth.ts";

const COUNTY = 6;
const TOWN = 9;

/** `layers` are those that are drawn; what their tiles do not tell cannot be lit up. */
export function hoverLayers(
  layers: readonly LayerSpecification[],
  hovered: Hovered | null,
  roles: Readonly<Record<string, string>>,
): LayerSpecification[] {
  if (hovered === null || hovered.value === null) return [];
  const colour = roles.select ?? "#888888";
  const area = areaOf(hovered);
  if (area !== null) return layers.some((each) => isOf(each, area.layer)) ? [edge(area.layer, area.id, colour)] : [];
  return layers
    .filter((each) => isOf(each, hovered.layer) && each.layout?.visibility !== "none")
    .flatMap((each) => lit(each, hovered, colour));
}

const isOf = (layer: LayerSpecification, name: string): boolean => {
  const tags = (layer.metadata ?? {}) as Record<string, unknown>;
  return tags["chengtu:layer"] === name && tags["chengtu:part"] === "record";
};

/** The grid, town or county that is meant where a column tells in which of them records lie. */
function areaOf({ column, value }: Hovered): { layer: string; id: string } | null {
  if (value === null) return null;
  if (column === "grid_id") return { layer: "grid", id: value };
  if (column !== "admin_code" || value.length < COUNTY) return null;
  return value.length >= TOWN
    ? { layer: "town", id: value.slice(0, TOWN) }
    : { layer: "county", id: value.slice(0, COUNTY) };
}

function edge(layer: string, id: string, colour: string): LayerSpecification {
  return {
    id: `${layer}-hover`,
    type: "line",
    source: areaSource(layer),
    "source-layer": layer,
    filter: ["==", ["get", "id"], id],
    layout: { "line-join": "round" },
    paint: { "line-color": colour, "line-width": 2.5 },
  } as unknown as LayerSpecification;
}

function lit(layer: LayerSpecification, { column, value }: Hovered, colour: string): LayerSpecification[] {
  const { id, filter, paint, type, ...rest } = layer as LayerSpecification & {
    filter?: unknown;
    paint?: Record<string, unknown>;
  };
  const meant = ["==", ["to-string", ["get", column]], value];
  const both = filter === undefined ? meant : ["all", filter, meant];
  const common = { ...rest, id: `${id}-hover`, filter: both, metadata: {} };
  if (type === "circle") {
    const ring = { "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": colour, "circle-stroke-width": 1.5 };
    return [{ ...common, type, paint: { ...ring, "circle-radius": wider(paint?.["circle-radius"], 2) } }] as never;
  }
  if (type === "symbol") {
    const ring = { "icon-color": "rgba(0,0,0,0)", "icon-halo-color": colour, "icon-halo-width": 2.5 };
    return [{ ...common, type, paint: ring }] as never;
  }
  const width = type === "line" ? wider(paint?.["line-width"], 2) : 2;
  return [{ ...common, type: "line", layout: {}, paint: { "line-color": colour, "line-width": width } }] as never;
}

// What depends on the zoom must stay outermost: its outcomes grow.
function wider(value: unknown, by: number): unknown {
  if (typeof value === "number") return value + by;
  if (!Array.isArray(value) || value[0] !== "interpolate") return 2 + by;
  return value.map((part, at) => (at >= 4 && at % 2 === 0 ? wider(part, by) : part));
}
