/** From files that were dropped to uploads: the parts of a Shapefile belong together, everything else is by itself. */

const PARTS = [".shp", ".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".sld"];
const READ = [
  ...[".xlsx", ".xlsm", ".xls", ".csv", ".tsv", ".tab", ".txt", ".zip", ".kmz", ".kml", ".geojson", ".json"],
  ...[".geojsonl", ".ndjson", ".gpkg", ".parquet", ".geoparquet", ".fgb", ".osm", ".pbf"],
];
export const ACCEPTED = [...READ, ...PARTS];

/** What often is brought although nothing here reads it, by what to say of it. */
const STRANGERS = {
  drawing: [".dwg", ".dxf", ".dgn"],
  packed: [".rar", ".7z", ".gz", ".tar", ".tgz"],
  document: [".doc", ".docx", ".ppt", ".pptx", ".wps"],
  pdf: [".pdf"],
  picture: [".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff"],
  web_page: [".htm", ".html", ".mht"],
  no_ending: [""],
} as const;
export type Stranger = keyof typeof STRANGERS | "unknown_ending";

/** What a file is of which nothing here reads the ending. */
export function stranger(name: string): Stranger {
  const suffix = suffixOf(name);
  const known = Object.entries(STRANGERS) as [Stranger, readonly string[]][];
  return known.find(([, endings]) => endings.includes(suffix))?.[0] ?? "unknown_ending";
}

export interface Batch<F> {
  /** What to call it: the file that a reader opens. */
  name: string;
  files: F[];
  /** Of a Shapefile the one with the shapes is missing, or nothing here reads such a file. */
  wrong: "noShp" | "unknown" | null;
}

export const suffixOf = (name: string): string => /\.[^.]+$/.exec(name)?.[0].toLowerCase() ?? "";
const stemOf = (name: string): string => name.slice(0, name.length - suffixOf(name).length).toLowerCase();

/** Files grouped into what is one table each, in the order in which they came. */
export function batches<F extends { name: string }>(files: readonly F[]): Batch<F>[] {
  const found = new Map<string, F[]>();
  for (const file of files) {
    const key = PARTS.includes(suffixOf(file.name)) ? `shape ${stemOf(file.name)}` : file.name;
    found.set(key, [...(found.get(key) ?? []), file]);
  }
  return [...found.values()].map((group) => {
    const shapes = group.find(({ name }) => suffixOf(name) === ".shp");
    const first = shapes ?? group[0];
    const name = first?.name ?? "";
    const suffix = suffixOf(name);
    const wrong = suffix === ".shp" || READ.includes(suffix) ? null : PARTS.includes(suffix) ? "noShp" : "unknown";
    return { name, files: group, wrong };
  });
}
