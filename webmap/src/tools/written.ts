/** Marks as a short text that a URL can carry, and back. */
import type { LonLat } from "../city/api.ts";
import type { Mark } from "./marks.ts";

/** Longer ones stay in the browser, and the URL says so by `HERE`. */
export const MOST_IN_URL = 1500;
export const HERE = "here";
const KEPT = "chengtu.marks";
const MOST_MARKS = 500;
const MOST_POINTS = 2000;

const LETTERS = { point: "p", line: "l", area: "a", circle: "c" } as const;
const KINDS = Object.fromEntries(Object.entries(LETTERS).map(([kind, letter]) => [letter, kind])) as Record<
  string,
  Mark["kind"]
>;
const UNIT = 1e6; // a millionth of a degree: a decimetre

/** Each mark: a letter, its coordinates as differences in base 36, a circle's radius, and its note. */
export function write(marks: readonly Mark[]): string {
  return marks.map(writeOne).join("~");
}

function writeOne({ kind, points, radius_m, note }: Mark): string {
  let [x, y] = [0, 0];
  const steps = points.flatMap(([lon, lat]) => {
    const [nextX, nextY] = [Math.round(lon * UNIT), Math.round(lat * UNIT)];
    const step = [nextX - x, nextY - y];
    [x, y] = [nextX, nextY];
    return step;
  });
  if (kind === "circle") steps.push(Math.round((radius_m ?? 0) * 10));
  const said = note === "" ? "" : `!${note.replace(/[~!*]/g, (sign) => `*${sign.charCodeAt(0).toString(16)}`)}`;
  return LETTERS[kind] + steps.map((step) => step.toString(36)).join(".") + said;
}

/** What makes no sense is left out. */
export function read(text: string): Mark[] {
  return text
    .split("~")
    .slice(0, MOST_MARKS)
    .flatMap((each) => readOne(each) ?? []);
}

function readOne(text: string): Mark | null {
  const [body = "", said = ""] = text.split("!", 2);
  const kind = KINDS[body.charAt(0)];
  const steps = body
    .slice(1)
    .split(".")
    .map((step) => (/^-?[0-9a-z]+$/.test(step) ? Number.parseInt(step, 36) : NaN));
  if (kind === undefined || steps.some(Number.isNaN) || steps.length > 2 * MOST_POINTS) return null;
  const radius = kind === "circle" ? steps.pop() : undefined;
  if (steps.length === 0 || steps.length % 2 === 1 || (radius !== undefined && radius <= 0)) return null;
  let [x, y] = [0, 0];
  const points: LonLat[] = [];
  for (let at = 0; at < steps.length; at += 2) {
    x += steps[at] ?? 0;
    y += steps[at + 1] ?? 0;
    if (Math.abs(x) > 180 * UNIT || Math.abs(y) > 85 * UNIT) return null;
    points.push([x / UNIT, y / UNIT]);
  }
  if (points.length < { point: 1, line: 2, area: 3, circle: 1 }[kind]) return null;
  const note = said.replace(/\*(7e|21|2a)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return { kind, points, note, ...(radius === undefined ? {} : { radius_m: radius / 10 }) };
}

/** Keep marks: what the URL is to say of them, null for none. Few marks leave a large drawing of another page alone. */
export function keep(marks: readonly Mark[], shelf: Pick<Storage, "setItem"> = localStorage): string | null {
  const text = write(marks);
  if (text.length <= MOST_IN_URL) return text === "" ? null : text;
  shelf.setItem(KEPT, text);
  return HERE;
}

/** The marks that the URL speaks of. */
export function kept(told: string | null, shelf: Pick<Storage, "getItem"> = localStorage): Mark[] {
  if (told === null) return [];
  return read(told === HERE ? (shelf.getItem(KEPT) ?? "") : told);
}
