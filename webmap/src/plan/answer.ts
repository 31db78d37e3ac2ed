/** An answer as the page holds it: its rows with their places, fetched page by page, and what they add up to. */
import type { Geometry } from "geojson";
import type { Properties } from "../city/api.ts";
import type { AnswerColumn, Page, Summary } from "../city/questions.ts";
import * as questions from "../city/questions.ts";

export interface Row {
  /** Its place in the answer, which table, chart and map know it by. */
  at: number;
  properties: Properties;
  geometry: Geometry | null;
}

export interface Answer {
  page: Page;
  columns: AnswerColumn[];
  rows: Row[];
  summary: Summary;
  /** There are rows that the page does not hold. */
  partial: boolean;
}

/** So many rows are drawn and listed; files hold all. */
export const MOST_ROWS = 5_000;

/** The rest of an answer; `told` is called with how many rows have come. */
export async function whole(first: Page, signal: AbortSignal, told: (n: number) => void): Promise<Answer> {
  const rows = rowsOf(first);
  const columns = first.columns.map((column) => ({ ...column }));
  let next = first.next;
  while (next !== null && rows.length < MOST_ROWS) {
    const page = await questions.page(next, signal);
    rows.push(...rowsOf(page));
    for (const [at, { words }] of page.columns.entries()) {
      const column = columns[at];
      if (column !== undefined && words !== undefined) column.words = { ...column.words, ...words };
    }
    told(rows.length);
    next = page.next;
  }
  const summary = await questions.summary(first.id, signal);
  return { page: first, columns, rows, summary, partial: next !== null };
}

function rowsOf(page: Page): Row[] {
  const features = page.features?.features;
  if (features !== undefined)
    return features.map(({ properties, geometry }, at) => ({ at: page.offset + at, properties, geometry }));
  return (page.rows ?? []).map((properties, at) => ({ at: page.offset + at, properties, geometry: null }));
}

/** The column that names a row. */
export function labelColumn(answer: Answer): string {
  const names = answer.columns.map(({ name }) => name);
  return names.find((name) => name === "name") ?? names[0] ?? "";
}

/** A class: rows that have one value of a column in common. */
export interface Class {
  value: string | null;
  title: string;
  n: number;
  rows: Set<number>;
}

/** The classes of an answer by the column that the server counted it by, or else its largest rows, each its own. */
export function classesOf(answer: Answer, lang: "zh" | "en", none: string): Class[] {
  const { summary, rows } = answer;
  if (summary.bars.length > 0 && summary.classes !== null) {
    const { name } = summary.classes;
    return summary.bars.map(({ value, title, n }) => ({
      value,
      title: title[lang],
      n,
      rows: new Set(rows.filter(({ properties }) => textOf(properties[name]) === value).map(({ at }) => at)),
    }));
  }
  const measure = summary.measure?.name;
  if (measure === undefined) return [];
  const label = labelColumn(answer);
  const words = answer.columns.find(({ name }) => name === label)?.words;
  return rows
    .flatMap(({ at, properties }) => {
      const n = properties[measure];
      const value = textOf(properties[label]);
      return typeof n === "number"
        ? [{ value, title: titled(value, words?.[value ?? ""]?.[lang], none), n, rows: new Set([at]) }]
        : [];
    })
    .sort((a, b) => b.n - a.n);
}

const textOf = (value: Properties[string] | undefined): string | null =>
  value === null || value === undefined ? null : String(value);
const titled = (value: string | null, word: string | undefined, none: string): string => word ?? value ?? none;
