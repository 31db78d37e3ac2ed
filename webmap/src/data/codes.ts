/** The codes of a field, in words, where the layer is known and its book is not too long to choose from. */
import type { Report } from "../city/intake.ts";
import type { App } from "../page/app.ts";

const MOST = 400;

export async function codesOf(app: App, report: Report, field: string): Promise<{ code: string; title: string }[]> {
  const book = report.into?.fields.find(({ name }) => name === field)?.book;
  const layer = report.into?.name ?? "";
  if (!book || app.city.layer(layer) === undefined) return [];
  const { books } = await app.city.detail(layer);
  const entries = Object.entries(books[book] ?? {});
  return entries.length > MOST ? [] : entries.map(([code, title]) => ({ code, title: app.title(title) }));
}
