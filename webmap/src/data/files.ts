/** From files that were dropped to uploads: the parts of a Shapefile belong together, everything else is by itself. */

const PARTS = [".shp", ".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".sld"];
const READ = [
  ...[".xlsx", ".xlsm", ".xls", ".csv", ".tsv", ".tab", ".txt", ".zip", ".kmz", ".kml", ".geojson", ".json"],
  ...[".geojsonl", ".ndjson", ".gpkg", ".parquet", ".geoparquet", ".fgb", ".osm", ".pbf"],
];
export const ACCEPTED = [...READ, ...PARTS];

export interface Batch<F> {
  /** What to call it: the file that a reader opens. */
  name: string;
  files: F[];
  /** Of a Shapefile the one with the shapes is missing, or nothing here reads such a file. */
  wrong: "noShp" | "unknown" | null;
}

const suffixOf = (name: string): string => /\.[^.]+$/.exec(name)?.[0].toLowerCase() ?? "";
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
