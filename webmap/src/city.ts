/** The city's layers as the server tells them, each one's details fetched once. */

import type { Catalogue, LayerDetail, LayerSummary } from "./api.ts";
import * as api from "./api.ts";

export interface City extends Catalogue {
  layer(name: string): LayerSummary | undefined;
  /** A layer's fields, books and legend. */
  detail(name: string): Promise<LayerDetail>;
  /** The same, if it has already arrived. */
  known(name: string): LayerDetail | undefined;
}

export async function loadCity(): Promise<City> {
  const catalogue = await api.catalogue();
  const asked = new Map<string, Promise<LayerDetail>>();
  const arrived = new Map<string, LayerDetail>();
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
  return {
    ...catalogue,
    layer: (name) => catalogue.layers.find((layer) => layer.name === name),
    detail(name) {
      const promise = asked.get(name) ?? fetchDetail(name);
      asked.set(name, promise);
      return promise;
    },
    known: (name) => arrived.get(name),
  };
}
