/** Values of rasters at a place. */
import type { Title } from "../words/i18n.ts";
import { get } from "./api.ts";

export interface RasterValue {
  name: string;
  title: Title;
  value: number | null;
  unit: string;
  reason: "no_data" | "outside" | null;
  synthetic: boolean;
}

export const rasterValue = (name: string, lon: number, lat: number, signal: AbortSignal): Promise<RasterValue> =>
  get(`/rasters/${encodeURIComponent(name)}/point?lon=${lon.toFixed(6)}&lat=${lat.toFixed(6)}`, signal);
