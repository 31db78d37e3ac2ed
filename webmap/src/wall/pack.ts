/** Blocks laid onto as few screens as hold them, by measuring, since type and names have the sizes that they need. */
import { h } from "../page/dom.ts";
import type { Block } from "./blocks.ts";
import { line } from "./text.ts";

export interface Sheet {
  element: HTMLElement;
  /** Of when the oldest of it is. */
  at: string | null;
}

/** The sheets, each of which fits `lane` (an element of the size of one). A block that fits on none loses its last rows. */
export function pack(blocks: readonly Block[], lane: HTMLElement): Sheet[] {
  const sheets: Sheet[] = [];
  lane.replaceChildren();
  let sheet: Sheet | null = null;
  // A sheet that a block begins on is of its time, too, wherever the block ends.
  const dated = (one: Sheet, { at }: Block) => {
    if (at !== null && (one.at === null || at < one.at)) one.at = at;
  };
  const fits = () => lane.scrollHeight <= lane.clientHeight;
  const begin = (): Sheet => {
    const fresh = { element: h("div", { class: "sheet" }), at: null };
    lane.replaceChildren(fresh.element);
    sheets.push(fresh);
    return fresh;
  };
  for (const block of blocks) {
    sheet ??= begin();
    let section = titled(block);
    sheet.element.append(section);
    const whole = block.title !== null; // key figures may go on overleaf, a ranking may not
    let rows = 0;
    for (let index = 0; index < block.rows.length; index++) {
      const row = block.rows[index] as HTMLElement;
      section.append(row);
      if (fits()) {
        rows += 1;
        continue;
      }
      row.remove();
      const alone: boolean = sheet.element.childElementCount === 1;
      if (alone && rows === 0) section.append(row); // larger than a sheet: shown as far as it goes
      if (alone && (whole || rows === 0)) break;
      if (rows === 0 || whole) section.remove();
      else dated(sheet, block);
      sheet = begin();
      section = titled(block);
      sheet.element.append(section);
      index = whole ? -1 : index - 1;
      rows = 0;
    }
    dated(sheet, block);
  }
  lane.replaceChildren();
  return sheets;
}

function titled({ title, stale }: Block): HTMLElement {
  const section = h("section", { class: "block" });
  section.classList.toggle("stale", stale);
  if (title !== null) section.append(line("title", title));
  return section;
}
