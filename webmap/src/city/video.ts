/** Cameras as the server tells them: where their pictures and streams are, and lists of them. */
import type { Feature, Point } from "geojson";
import { get } from "./api.ts";

/** Where a camera's picture is: a template with its `{id}`; `synthetic` where the server draws it itself. */
export interface Link {
  template: string;
  synthetic: boolean;
}

export interface Links {
  picture: Link | null;
  stream: Link | null;
}

/** A camera to look through. */
export interface Site {
  id: string;
  name: string | null;
  status: string | null;
  lon: number;
  lat: number;
  heading_deg: number | null;
  hfov_deg: number | null;
  range_m: number | null;
}

interface Page {
  features: Feature<Point, Omit<Site, "id" | "lon" | "lat">>[];
  links: { rel: string }[];
}

export const links = (): Promise<Links> => get("/video");

/** The first cameras that meet a CQL2 text, and whether there are more. */
export async function sites(
  filter: string | null,
  limit: number,
  signal?: AbortSignal,
): Promise<{ sites: Site[]; more: boolean }> {
  const asked = new URLSearchParams({ limit: String(limit), ...(filter === null ? {} : { filter }) });
  const page = await get<Page>(`/ogc/collections/video/items?${asked}`, signal);
  const found = page.features.map(({ id, geometry, properties }): Site => {
    const [lon = 0, lat = 0] = geometry.coordinates;
    const { name, status, heading_deg, hfov_deg, range_m } = properties;
    return { id: String(id), lon, lat, name, status, heading_deg, hfov_deg, range_m };
  });
  return { sites: found, more: page.links.some(({ rel }) => rel === "next") };
}
