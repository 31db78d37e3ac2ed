/** Why the server does not take a file or a wish, in the language of the page. */
import { Refused, Unreachable } from "../city/api.ts";
import { type App, reason } from "../page/app.ts";
import type { Word } from "../words/i18n.ts";

const SENTENCES: readonly [RegExp, Word][] = [
  [/pack it as \.zip/, "dataNo_packed"],
  [/this is a DWG drawing/, "dataNo_drawing"],
  [/this is a web page/, "dataNo_page"],
  [/this is an? /, "dataNo_other"],
  [/what is in it is not what the ending/, "dataNo_ending"],
  [/the file is empty/, "dataNo_empty"],
  [/the archive (is broken|has more than)/, "dataNo_archive"],
  [/files ending in .* are not read|ends in what it is/, "dataNo_kind"],
  [/the \.shp is missing/, "dataNo_shapes"],
  [/the body is too large/, "dataNo_large"],
  [/an upload has at most/, "dataNo_files"],
  [/holds one table/, "dataNo_tables"],
  [/take all the room|uploads wait already/, "dataNo_room"],
  [/a job is at work|is being taken back/, "dataNo_busy"],
  [/has to be examined/, "dataNo_unseen"],
  [/was loaded already/, "dataNo_loaded"],
  [/was taken back already/, "dataNo_undone"],
  [/could not be put into the queue/, "dataNo_queue"],
];

/** What went wrong as a sentence; one that is not known stays as it came. */
export function whyNot(app: App, error: unknown): string {
  if (error instanceof Unreachable) return app.t("unreachable");
  const told = reason(error);
  const known = error instanceof Refused && SENTENCES.find(([pattern]) => pattern.test(told));
  return known ? app.t(known[1]) : app.t("failed", { why: told });
}
