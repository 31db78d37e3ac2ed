/** What the server tells of the city: its layers, each one's details fetched once, their counts, its rasters. */

import type { Basemap, Catalogue, LayerDetail, LayerSummary, Raster } from "./api.ts";
import * as api from "./api.ts";
import { type Who, who } from "./session.ts";

export interface City extends Catalogue {
  basemap: Basemap | null;
  /** Who is signed in, as the page began. */
  who: Who;
  /** As the server paints them in the palette that was asked for last. */
  rasters(): readonly Raster[];
  layer(name: string): LayerSummary | undefined;
  /** A layer's fields, books and legend. */
  detail(name: string): Promise<LayerDetail>;
  /** The same, if it has already arrived. */
  known(name: string): LayerDetail | undefined;
  /** Ask again how much each layer holds. */
  recount(): Promise<void>;
  /** Ask for the rasters in a palette. */
  repaint(palette: string): Promise<void>;
  /** Call back when counts or rasters have come. */
  onNews(listener: () => void): void;
}

export async function loadCity(): Promise<City> {
  // First, since what the others tell may be of an exercise.
  const whoever = await who();
  api.pin(whoever.exercise?.id ?? null);
  const [catalogue, basemap] = await Promise.all([api.catalogue(), api.basemap()]);
  const asked = new Map<string, Promise<LayerDetail>>();
  const arrived = new Map<string, LayerDetail>();
  let rasters: readonly Raster[] = [];
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const fetchDetail = async (name: string): Promise<LayerDetail> => {
    try {
      const detail = await api.layerDetail(name);
      arrived.set(name, detail);
      return detail;
    } catch (error) {
      asked.delete(name); // so that the next one who needs it asks again
      throw error;
    }
  };
  const layer = (name: string) => catalogue.layers.find((each) => each.name === name);
  return {
    ...catalogue,
    basemap,
    who: whoever,
    rasters: () => rasters,
    layer,
    detail(name) {
      const promise = asked.get(name) ?? fetchDetail(name);
      asked.set(name, promise);
      return promise;
    },
    known: (name) => arrived.get(name),
    async recount() {
      for (const { name, count, counts, updated } of (await api.catalogue()).layers) {
        for (const held of [layer(name), arrived.get(name)]) if (held) Object.assign(held, { count, counts, updated });
      }
      tell();
    },
    async repaint(palette) {
      rasters = await api.rasters(palette);
      tell();
    },
    onNews: (listener) => void listeners.add(listener),
  };
}
