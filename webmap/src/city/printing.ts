/** The server's print: a style and the words around it, and a sheet of A4 back. */
import { authorization, type Mark, refusal, Unreachable } from "./api.ts";

export interface LegendPart {
  title: string;
  unit?: string;
  rows?: { label: string; colour: string; shape: Mark }[];
  ramp?: { colours: string[]; ticks: string[]; steps: boolean };
}

export interface PrintOrder {
  style: { version: 8; sources: Record<string, unknown>; layers: unknown[] };
  title: string;
  subtitle: string;
  lang: "zh" | "en";
  orientation: "portrait" | "landscape";
  dpi: number;
  zoom: number;
  bounds: [number, number, number, number];
  lon: number;
  lat: number;
  scale: number | null;
  legend: LegendPart[];
  /** Whose figures stand beside the map, as they are when it is drawn. */
  indicators: string[];
}

/** The sheet as a file; throws Refused or Unreachable (an abort stays an AbortError). */
export async function printed(format: "png" | "pdf", order: PrintOrder, signal: AbortSignal): Promise<Blob> {
  const headers = { "Content-Type": "application/json", ...authorization() };
  let response: Response;
  try {
    response = await fetch(`/print?format=${format}`, { method: "POST", headers, body: JSON.stringify(order), signal });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new Unreachable("/print", { cause });
  }
  if (response.ok) return response.blob();
  throw await refusal(response);
}
