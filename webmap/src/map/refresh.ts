/** Keeps the map as fresh as the server: only tiles that changed are asked for again, and only those in view. */
import type { MapLibreMap, VectorTileSource } from "maplibre-gl";
import { type Change, createFreshness, type Freshness, type Tile } from "../city/freshness.ts";

export interface Refresher {
  /** Records changed in these tiles of a source. */
  changed(source: string, change: Change): void;
  /** Whatever was asked for up to now may be old. */
  everythingChanged(): void;
}

const TOGETHER_MS = 250;
const AFTER_FAILURE_MS = 5_000;
const TILE_PX = 512;

/** `isOurs` tells the sources whose tiles hold records. */
export function createRefresher(map: MapLibreMap, isOurs: (source: string) => boolean): Refresher {
  const sources = new Map<string, Freshness>();
  const loading = new Set<string>();
  let due = false;
  let eventful = false;

  const of = (source: string): Freshness => {
    const known = sources.get(source) ?? createFreshness();
    sources.set(source, known);
    return known;
  };
  const pictureZoom = (): number => Math.floor(map.getZoom());
  const soon = (): void => {
    if (due) return;
    due = true;
    setTimeout(refresh, TOGETHER_MS);
  };

  // While a source loads, two answers for one tile could overtake each other: its turn comes when it is at rest.
  const refreshSource = (id: string, freshness: Freshness): void => {
    if (!isUsed(map, id)) return;
    if (!map.isSourceLoaded(id)) {
      soon();
      return;
    }
    const stale = tilesInView(map, id).filter((tile) => freshness.isStale(tile, pictureZoom()));
    if (stale.length === 0) return;
    for (const tile of stale) freshness.asked(tile, pictureZoom());
    map.refreshTiles(id, stale);
    loading.add(id);
    soon();
  };
  // Of a tile that turns out the same MapLibre says nothing and draws nothing: without a nudge it never comes to rest.
  const nudge = (): void => {
    for (const id of loading) if (map.isSourceLoaded(id)) loading.delete(id);
    if (loading.size > 0) soon();
    else map.triggerRepaint();
  };
  const refresh = (): void => {
    due = false;
    if (loading.size > 0) nudge();
    for (const [id, freshness] of sources) refreshSource(id, freshness);
  };

  map.on("sourcedataloading", ({ sourceId, coord }) => {
    if (coord && isOurs(sourceId)) of(sourceId).asked(coord.canonical, coord.overscaledZ);
  });
  // A tile that comes back into view, or is drawn again, may be one that the map kept since before a change.
  for (const back of ["move", "styledata"] as const) {
    map.on(back, () => {
      if (eventful) soon();
    });
  }
  map.on("error", (event) => {
    const { sourceId, tile } = event as { sourceId?: string; tile?: { tileID: { canonical: Tile } } };
    if (!eventful || sourceId === undefined || tile === undefined || !isOurs(sourceId)) return;
    const { z, x, y } = tile.tileID.canonical;
    setTimeout(() => changed(sourceId, { tiles: [`${z}/${x}/${y}`] }), AFTER_FAILURE_MS);
  });

  const changed = (source: string, change: Change): void => {
    eventful = true;
    of(source).changed(change);
    soon();
  };
  return {
    changed,
    everythingChanged: () => {
      for (const source of sources.keys()) changed(source, { all: true });
    },
  };
}

/** Whether anything of a source is drawn at this zoom: MapLibre holds no tiles of one that is not. */
function isUsed(map: MapLibreMap, source: string): boolean {
  const zoom = map.getZoom();
  return map
    .getStyle()
    .layers.some(
      (layer) =>
        "source" in layer &&
        layer.source === source &&
        layer.layout?.visibility !== "none" &&
        (layer.minzoom ?? 0) <= zoom &&
        zoom < (layer.maxzoom ?? 24),
    );
}

function tilesInView(map: MapLibreMap, id: string): Tile[] {
  const source = map.getSource<VectorTileSource>(id);
  if (source === undefined) return [];
  const { minzoom, maxzoom } = source;
  return map.coveringTiles({ tileSize: TILE_PX, minzoom, maxzoom }).map(({ canonical: { z, x, y } }) => ({ z, x, y }));
}
