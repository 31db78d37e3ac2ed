/** Sketching on the map with Terra Draw, which is fetched when someone begins to draw. */
import type { MapLibreMap } from "maplibre-gl";
import {
  type GeoJSONStoreFeatures,
  TerraDraw,
  TerraDrawCircleMode,
  TerraDrawLineStringMode,
  TerraDrawModeUndoRedo,
  TerraDrawPointMode,
  TerraDrawPolygonMode,
  TerraDrawSelectMode,
} from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import { SKETCH } from "../map/overlays.ts";
import { type Mark, markOf, ringOf } from "./marks.ts";

export interface Sketch {
  /** Draw marks of this kind, one after the other. */
  draw(kind: Mark["kind"]): void;
  /** Take a mark in hand: its points can be dragged until something else is chosen. */
  edit(mark: Mark): void;
  /** Take back the last point; false when nothing is being drawn. */
  undo(): boolean;
  /** Put the mark in hand down. */
  rest(): void;
  stop(): void;
}

export interface Heard {
  /** What is being drawn or edited changed; null: nothing is. */
  drawing(mark: Mark | null): void;
  done(mark: Mark): void;
  edited(mark: Mark): void;
}

const MODES = { point: "point", line: "linestring", area: "polygon", circle: "circle" } as const;
const KINDS: Record<string, Mark["kind"]> = { point: "point", linestring: "line", polygon: "area", circle: "circle" };
const MOVABLE = { draggable: true, midpoints: true, deletable: true } as const;
const FLAGS = {
  point: { feature: { draggable: true } },
  linestring: { feature: { draggable: true, coordinates: MOVABLE } },
  polygon: { feature: { draggable: true, coordinates: MOVABLE } },
  circle: { feature: { draggable: true, coordinates: { resizable: "center-fixed" as const } } },
};

export function startSketch(map: MapLibreMap, roles: Record<string, string>, heard: Heard): Sketch {
  const colour = (roles.warn ?? "#888888") as `#${string}`;
  const halo = (roles.halo ?? "#ffffff") as `#${string}`;
  const dots = { PointColor: colour, PointOutlineColor: halo, PointWidth: 5, PointOutlineWidth: 2 } as const;
  const selected = Object.fromEntries(
    ["selection", "mid"].flatMap((part) => Object.entries(dots).map(([name, value]) => [part + name, value])),
  );
  const surface = { fillColor: colour, fillOpacity: 0.12, outlineColor: colour, outlineWidth: 2.5 };
  const closing = { closingPointColor: colour, closingPointOutlineColor: halo };
  const terra = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map, prefixId: SKETCH }),
    undoRedo: { modeLevel: new TerraDrawModeUndoRedo() },
    modes: [
      new TerraDrawPointMode({ styles: { pointColor: colour, pointOutlineColor: halo } }),
      new TerraDrawLineStringMode({
        styles: { lineStringColor: colour, lineStringWidth: 2.5, ...closing },
      }),
      new TerraDrawPolygonMode({ styles: { ...surface, ...closing } }),
      new TerraDrawCircleMode({ styles: surface, drawInteraction: "click-move-or-drag" }),
      new TerraDrawSelectMode({
        flags: FLAGS,
        styles: {
          ...selected,
          selectedLineStringColor: colour,
          selectedPolygonColor: colour,
          selectedPolygonOutlineColor: colour,
          selectedPointColor: colour,
        },
      }),
    ],
  });
  let inHand: string | number | null = null;

  const read = (feature: GeoJSONStoreFeatures): Mark | null => {
    const kind = KINDS[String(feature.properties.mode)];
    if (kind === undefined) return null;
    const { geometry } = feature;
    const positions =
      geometry.type === "Point"
        ? [geometry.coordinates]
        : geometry.type === "LineString"
          ? geometry.coordinates
          : geometry.coordinates[0];
    return markOf(kind, positions ?? []);
  };
  const putDown = () => {
    const feature = inHand === null ? undefined : terra.getSnapshotFeature(inHand);
    const id = inHand;
    inHand = null;
    if (feature === undefined || id === null) return;
    terra.removeFeatures([id]);
    const mark = read(feature);
    if (mark !== null) heard.edited(mark);
  };

  terra.start();
  terra.on("change", (ids, type) => {
    if (type === "delete" || type === "styling") return;
    const features = ids.flatMap((id) => terra.getSnapshotFeature(id) ?? []);
    const feature = features.find((each) => KINDS[String(each.properties.mode)] !== undefined);
    if (feature !== undefined) heard.drawing(read(feature));
  });
  terra.on("finish", (id, { action }) => {
    const feature = terra.getSnapshotFeature(id);
    if (action !== "draw" || feature === undefined) return;
    // Terra Draw is still busy with what it tells of.
    queueMicrotask(() => {
      if (terra.enabled && terra.hasFeature(id)) terra.removeFeatures([id]);
      heard.drawing(null);
      const mark = read(feature);
      if (mark !== null) heard.done(mark);
    });
  });
  terra.on("deselect", () => queueMicrotask(putDown));

  return {
    draw(kind) {
      putDown();
      terra.setMode(MODES[kind]);
    },
    edit(mark) {
      putDown();
      const id = terra.getFeatureId();
      const mode = MODES[mark.kind];
      const coordinates = mark.kind === "line" ? [...mark.points] : [ringOf(mark)];
      const [first = [0, 0]] = mark.points;
      const geometry =
        mark.kind === "point"
          ? { type: "Point" as const, coordinates: first }
          : mark.kind === "line"
            ? { type: "LineString" as const, coordinates: coordinates as [number, number][] }
            : { type: "Polygon" as const, coordinates: coordinates as [number, number][][] };
      const radius = mark.radius_m === undefined ? {} : { radiusKilometers: mark.radius_m / 1000 };
      const added = terra.addFeatures([{ id, type: "Feature", properties: { mode, ...radius }, geometry }]);
      if (!added.every(({ valid }) => valid)) return;
      terra.selectFeature(id);
      inHand = id;
      heard.drawing(mark);
    },
    undo: () => terra.canUndo() && terra.undo(),
    rest: putDown,
    stop() {
      putDown();
      if (terra.enabled) terra.stop();
    },
  };
}
