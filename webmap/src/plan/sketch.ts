/** Drawing on the map: one shape, or one point, at a time; Enter finishes, Escape stops. */
import type { Geometry, Position } from "geojson";
import type { GeoJSONSource } from "maplibre-gl";
import { TerraDraw, TerraDrawCircleMode, TerraDrawLineStringMode, TerraDrawPolygonMode } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import type { LonLat } from "../city/api.ts";
import type { CityMap } from "../map/map.ts";

export type Tool = "polygon" | "circle" | "linestring";

export interface Sketch {
  /** Draw a shape; null when it was stopped. */
  draw(tool: Tool): Promise<Geometry | null>;
  /** Pick a point; null when it was stopped. */
  pick(): Promise<LonLat | null>;
  /** End what is being drawn, if anything is. */
  stop(): void;
  /** What the user does meanwhile; null when that is over. */
  onTool(listener: (tool: Tool | "point" | null) => void): void;
  /** Show the shapes that belong to the question. */
  show(shapes: readonly Geometry[]): void;
  view(): Geometry;
  centre(): LonLat;
}

const SOURCE = "sketch";
const DIGITS = 6;

export function createSketch({ map, roles }: CityMap): Sketch {
  const listeners = new Set<(tool: Tool | "point" | null) => void>();
  const tell = (tool: Tool | "point" | null): void => {
    for (const listener of listeners) listener(tool);
  };
  let over: (() => void) | null = null;
  let shown: readonly Geometry[] = [];

  const stop = (): void => {
    const end = over;
    over = null;
    end?.();
    if (end !== null) tell(null);
  };

  // A new style has none of these layers: they come back with it.
  const ensure = (): void => {
    if (!map.getSource(SOURCE)) map.addSource(SOURCE, { type: "geojson", data: collection(shown) });
    const colour = roles().accent ?? "#888888";
    if (!map.getLayer("sketch-fill"))
      map.addLayer({
        id: "sketch-fill",
        type: "fill",
        source: SOURCE,
        filter: ["==", ["geometry-type"], "Polygon"],
        paint: { "fill-color": colour, "fill-opacity": 0.08 },
      });
    if (!map.getLayer("sketch-line"))
      map.addLayer({
        id: "sketch-line",
        type: "line",
        source: SOURCE,
        paint: { "line-color": colour, "line-width": 2, "line-dasharray": [3, 2] },
      });
    if (!map.getLayer("sketch-point"))
      map.addLayer({
        id: "sketch-point",
        type: "circle",
        source: SOURCE,
        filter: ["==", ["geometry-type"], "Point"],
        paint: {
          "circle-radius": 6,
          "circle-color": colour,
          "circle-stroke-color": roles().halo ?? "#ffffff",
          "circle-stroke-width": 2,
        },
      });
  };
  map.on("styledata", ensure);
  if (map.isStyleLoaded()) ensure();

  const draw = (tool: Tool): Promise<Geometry | null> => {
    stop();
    return new Promise((settle) => {
      const keyEvents = { cancel: "Escape", finish: "Enter" } as const;
      const pen = new TerraDraw({
        adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: DIGITS }),
        modes: [
          new TerraDrawPolygonMode({ keyEvents }),
          new TerraDrawLineStringMode({ keyEvents }),
          new TerraDrawCircleMode({ keyEvents }),
        ],
      });
      const finish = (geometry: Geometry | null): void => {
        over = null;
        pen.stop();
        settle(geometry);
      };
      over = () => finish(null);
      pen.start();
      pen.setMode(tool);
      pen.on("finish", (id) => {
        const geometry = pen.getSnapshotFeature(id)?.geometry ?? null;
        // Not within the event of its own ending.
        setTimeout(() => {
          if (over === null) return;
          finish(geometry === null ? null : rounded(geometry));
          tell(null);
        });
      });
      tell(tool);
      map.getCanvas().focus();
    });
  };

  const pick = (): Promise<LonLat | null> => {
    stop();
    return new Promise((settle) => {
      const canvas = map.getCanvas();
      const finish = (point: LonLat | null): void => {
        over = null;
        map.off("click", clicked);
        canvas.removeEventListener("keydown", typed);
        canvas.style.removeProperty("cursor");
        settle(point);
      };
      const clicked = ({ lngLat }: { lngLat: { lng: number; lat: number } }): void => {
        finish([round(lngLat.lng), round(lngLat.lat)]);
        tell(null);
      };
      const typed = (event: KeyboardEvent): void => {
        if (event.key !== "Enter") return;
        finish(centre());
        tell(null);
      };
      over = () => finish(null);
      map.on("click", clicked);
      canvas.addEventListener("keydown", typed);
      canvas.style.setProperty("cursor", "crosshair");
      tell("point");
      canvas.focus();
    });
  };

  const centre = (): LonLat => {
    const { lng, lat } = map.getCenter();
    return [round(lng), round(lat)];
  };

  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && over !== null) stop();
  });

  return {
    draw,
    pick,
    stop,
    centre,
    onTool: (listener) => void listeners.add(listener),
    show(shapes) {
      shown = shapes;
      map.getSource<GeoJSONSource>(SOURCE)?.setData(collection(shapes));
    },
    view() {
      const [[west, south], [east, north]] = map.getBounds().toArray();
      const [w, s, e, n] = [west, south, east, north].map(round) as [number, number, number, number];
      return {
        type: "Polygon",
        coordinates: [
          [
            [w, s],
            [e, s],
            [e, n],
            [w, n],
            [w, s],
          ],
        ],
      }; // prettier-ignore
    },
  };
}

const round = (degrees: number): number => Number(degrees.toFixed(DIGITS));

const collection = (shapes: readonly Geometry[]): GeoJSON.FeatureCollection => ({
  type: "FeatureCollection",
  features: shapes.map((geometry) => ({ type: "Feature", properties: {}, geometry })),
});

function rounded(geometry: Geometry): Geometry {
  if (geometry.type === "GeometryCollection") return geometry;
  const trim = (node: unknown): unknown =>
    Array.isArray(node) ? node.map((each) => (typeof each === "number" ? round(each) : trim(each))) : node;
  return { ...geometry, coordinates: trim(geometry.coordinates) as Position } as Geometry;
}
