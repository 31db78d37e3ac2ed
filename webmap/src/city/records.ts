/** Records of a layer as pages of a list, in an order, and as files. */
import type { Feature, Geometry } from "geojson";
import type { Title } from "../words/i18n.ts";
import { authorization, get, type Properties, refusal, type SearchHit, Unreachable } from "./api.ts";

export interface RecordsPage {
  records: (Feature<Geometry, Properties> & { id: string })[];
  /** How many there are in all; null: not known. */
  total: number | null;
  /** The total is what the database expects. */
  estimated: boolean;
  /** Where the next page is; null: this was the last. */
  next: string | null;
}

export interface Order {
  column: string;
  down: boolean;
}

interface Answer {
  features: RecordsPage["records"];
  links: { rel: string; href: string }[];
  numberMatched?: number;
  numberEstimated?: number;
}

export const EXPORTS = ["xlsx", "csv", "geojson", "gpkg", "parquet", "html"] as const;
export type ExportFormat = (typeof EXPORTS)[number];
const MOST_EXPORTED = 50_000;
const MOST_HITS = 100;

const part = encodeURIComponent;

/** The first page of the records that meet a CQL2 filter, in an order. */
export function firstPage(
  layer: string,
  { filter, order, limit }: { filter: string | null; order: Order | null; limit: number },
  signal: AbortSignal,
): Promise<RecordsPage> {
  const asked = new URLSearchParams({ limit: String(limit), f: "json" });
  if (filter !== null) asked.set("filter", filter);
  if (order !== null) asked.set("sortby", `${order.down ? "-" : "+"}${order.column}`);
  return page(`/ogc/collections/${part(layer)}/items?${asked}`, signal);
}

/** The page that a `next` leads to. */
export const nextPage = (next: string, signal: AbortSignal): Promise<RecordsPage> => page(next, signal);

async function page(path: string, signal: AbortSignal): Promise<RecordsPage> {
  const { features, links, numberMatched, numberEstimated } = await get<Answer>(path, signal);
  const next = links.find(({ rel }) => rel === "next")?.href ?? null;
  // The server may stand behind another name than the one it was asked under.
  const own = next === null ? null : new URL(next, location.origin);
  return {
    records: features,
    total: numberMatched ?? numberEstimated ?? null,
    estimated: numberMatched === undefined,
    next: own === null ? null : own.pathname + own.search,
  };
}

/** What a search finds, as many as the server tells at once. */
export const allHits = async (q: string, lang: string, signal: AbortSignal): Promise<SearchHit[]> =>
  (await get<{ results: SearchHit[] }>(`/search?q=${part(q)}&limit=${MOST_HITS}&lang=${lang}`, signal)).results;

interface Kept {
  statement: Title;
  truncated: boolean;
  exports: Record<string, string>;
}

/** Have the records that meet a filter made into files; returns where each kind of file is, and if it is cut off. */
export async function kept(layer: string, filter: string | null): Promise<Kept> {
  const body = { ask: "select", layer, limit: MOST_EXPORTED, ...(filter === null ? {} : { filter }) };
  let response: Response;
  try {
    response = await fetch("/query", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...authorization() },
      body: JSON.stringify(body),
    });
  } catch (cause) {
    throw new Unreachable("/query", { cause });
  }
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as Kept;
}

/** Give a file to the browser's downloads. */
export async function download(path: string, name: string): Promise<void> {
  const response = await fetch(path, { headers: authorization() });
  if (!response.ok) throw await refusal(response);
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
