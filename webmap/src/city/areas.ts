/** The names of the city's counties and towns, by their administrative codes. */
import type { Named } from "./api.ts";
import { firstPage } from "./records.ts";

const MOST = 1000;

/** Counties first, then towns, each in the order of their codes; a layer that the city lacks has none. */
export async function areaNames(layers: readonly string[], signal: AbortSignal): Promise<Named[]> {
  const known = ["county", "town"].filter((name) => layers.includes(name));
  const pages = await Promise.all(
    known.map((name) => firstPage(name, { filter: null, order: null, limit: MOST }, signal)),
  );
  return pages.flatMap(({ records }) =>
    records
      .map(({ id, properties }) => ({ id, name: String(properties.name ?? id) }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  );
}
