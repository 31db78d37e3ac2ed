/** A layer as heat: its records close up, the cells that count them from afar. */
import type { FilterSpecification, LayerSpecification } from "maplibre-gl";

const TILE_PX = 512;
const EARTH_M = 40_075_016.686;
/** What one point of weight 1 adds to the very middle of its spot, as MapLibre's heatmap has it. */
const MIDDLE = 0.3989422804014327;
/** The share of a spot's radius² that the middle's value would fill. */
const FILLED = Math.PI / 4.5;
const ZOOMS = [6, 8, 10, 12, 14, 16, 18, 20] as const;
/** A hexagon's ring of corners in a tile, the first one once more at its end. */
const CORNERS = 7;

export interface HeatDrawing {
  layer: string;
  /** Of the tiles. */
  source: string;
  /** From where on there are records; below it there are cells. */
  minzoom: number;
  roles: Readonly<Record<string, string>>;
  opacity: number;
  /** Records per km² in the whole city, and its latitude: what the heat is measured by. */
  perKm2: number;
  lat: number;
  filter: FilterSpecification | undefined;
  /** A cell's count; less where classes are switched off. */
  cellCount: unknown;
}

/** Pixels over which a record's heat spreads. */
export const radiusAt = (zoom: number): number => 14 + Math.max(0, zoom - 8) * 2;
/** So much farther that of a cell's corners does, or every hexagon would be a ring around nothing. */
const FAR = 2;

/**
 * So strong is a record's heat that places `peak` times as dense as the city glow brightest. From closer by the same
 * records stand apart, so that the densest places are so many times denser.
 */
export function intensityAt(zoom: number, perKm2: number, lat: number, radius_px = radiusAt(zoom)): number {
  const m_per_px = (EARTH_M * Math.cos((lat * Math.PI) / 180)) / (TILE_PX * 2 ** zoom);
  const perPixel = perKm2 * (m_per_px / 1000) ** 2;
  const peak = 25 * 2 ** (0.9 * (zoom - 8));
  const lone = 1 / MIDDLE;
  return Math.min(lone, 1 / Math.max(1e-9, peak * perPixel * MIDDLE * FILLED * radius_px ** 2));
}

/** The layers of a layer's heat, the far one first. */
export function heatLayers(drawing: HeatDrawing): LayerSpecification[] {
  const { layer, source, minzoom, filter } = drawing;
  const metadata = { "chengtu:layer": layer, "chengtu:part": "heat" };
  const near = { id: `${layer}-heat`, source, "source-layer": layer, type: "heatmap", minzoom, metadata };
  const far = { id: `${layer}-heat-far`, source, "source-layer": `${layer}_cells`, type: "heatmap", metadata };
  const drawn = [
    { ...near, ...(filter === undefined ? {} : { filter }), paint: paint(drawing, 1, radiusAt) },
    // MapLibre warms every corner of a polygon: the corners of a hexagon share what it counts.
    {
      ...far,
      maxzoom: minzoom,
      paint: paint(drawing, ["/", drawing.cellCount, CORNERS], (zoom) => FAR * radiusAt(zoom)),
    },
  ];
  return (minzoom > 6 ? drawn.reverse() : drawn.slice(0, 1)) as unknown as LayerSpecification[];
}

function paint(
  { roles, opacity, perKm2, lat }: HeatDrawing,
  weight: unknown,
  radius: (zoom: number) => number,
): object {
  const byZoom = (value: (zoom: number) => number) => ZOOMS.flatMap((zoom) => [zoom, value(zoom)]);
  const role = (name: string): string => roles[name] ?? "#888888";
  return {
    "heatmap-weight": weight,
    "heatmap-intensity": [
      "interpolate",
      ["exponential", 2],
      ["zoom"],
      ...byZoom((zoom) => intensityAt(zoom, perKm2, lat, radius(zoom))),
    ],
    "heatmap-radius": ["interpolate", ["linear"], ["zoom"], ...byZoom(radius)],
    "heatmap-opacity": opacity,
    "heatmap-color": [
      "interpolate",
      ["linear"],
      ["heatmap-density"],
      0,
      // The same colour, not a transparent black: between that and a light colour everything would look sooty.
      `${role("ramp2")}00`,
      0.06,
      role("ramp2"),
      0.3,
      role("ramp3"),
      0.6,
      role("ramp4"),
      1,
      role("ramp5"),
    ],
  };
}
