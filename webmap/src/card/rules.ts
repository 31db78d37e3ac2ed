/** Whether a value fits its field, by the rules of the server and in its sentences, and these in the page's language. */
import type { Field } from "../city/api.ts";
import type { App } from "../page/app.ts";
import type { Word } from "../words/i18n.ts";

export type Value = string | number | boolean | null;

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MINUTE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/;
const CITY = "+08:00"; // the offset of all China
const EARLIEST = "1900-01-01";

// The names in a pattern fill the placeholders of its word.
const SENTENCES: readonly [RegExp, Word][] = [
  [/^a value is needed$/, "rule_needed"],
  [/^must be a text$/, "rule_text"],
  [/^holds control characters$/, "rule_control"],
  [/^is longer than (?<n>\d+) characters$/, "rule_long"],
  [/^must be a code or its name$/, "rule_code"],
  [/^'(?<text>.*)' is not in the code book/, "rule_book"],
  [/^must be a number$/, "rule_number"],
  [/^is below (?<n>.+)$/, "rule_below"],
  [/^is above (?<n>.+)$/, "rule_above"],
  [/^must be a whole number$/, "rule_whole"],
  [/^must be a date such as/, "rule_date"],
  [/^lies before 1900 or in the future$/, "rule_days"],
  [/^must be a time such as/, "rule_time"],
  [/^must be true or false$/, "rule_boolean"],
  [/^lies outside the city$/, "rule_outside"],
  [/^this field is not edited by hand$/, "rule_fixed"],
];

/** A reason of the server in the page's language; one that is not known stays as it came. */
export function ruleInWords(app: App, reason: string): string {
  for (const [pattern, name] of SENTENCES) {
    const found = pattern.exec(reason);
    if (found) return app.t(name, found.groups ?? {});
  }
  return reason;
}

/** What a person typed or chose, as the field's value; a number or a text that is none of its kind stays a text. */
export function typedValue(field: Field, text: string): Value {
  const plain = text.trim();
  if (plain === "") return null;
  if (field.kind === "integer" || field.kind === "number") {
    const value = Number(plain);
    return Number.isFinite(value) ? value : plain;
  }
  if (field.kind === "boolean") return plain === "true" || (plain === "false" ? false : plain);
  if (field.kind === "time" && MINUTE.test(plain)) return plain + CITY;
  return plain;
}

/** A field's value as its control shows it. */
export function textOf(field: Field, value: Value | undefined): string {
  if (value === null || value === undefined) return "";
  if (field.kind === "time") return cityTime(String(value));
  return String(value);
}

/** The server's reason against a value, or null where it fits; what only the server can know it says on saving. */
export function reasonAgainst(
  field: Field,
  value: Value,
  today: string = cityTime(Date.now()).slice(0, 10),
): string | null {
  if (value === null) return field.required ? "a value is needed" : null;
  switch (field.kind) {
    case "text":
    case "code":
      return String(value).length > field.maxLength ? `is longer than ${field.maxLength} characters` : null;
    case "integer":
    case "number":
      return againstNumber(field, value);
    case "date":
      return againstDate(String(value), today);
    case "time":
      return Number.isFinite(Date.parse(String(value))) ? null : "must be a time such as 2026-07-01T08:00:00+08:00";
    case "boolean":
      return typeof value === "boolean" ? null : "must be true or false";
  }
}

function againstNumber(field: Field, value: Value): string | null {
  if (typeof value !== "number") return "must be a number";
  const unit = field.unit === null ? "" : ` ${field.unit}`;
  if (field.minimum !== null && value < field.minimum) return `is below ${field.minimum}${unit}`;
  if (field.maximum !== null && value > field.maximum) return `is above ${field.maximum}${unit}`;
  return field.kind === "integer" && !Number.isSafeInteger(value) ? "must be a whole number" : null;
}

function againstDate(text: string, today: string): string | null {
  const day = new Date(`${text}T00:00:00Z`);
  const real = DAY.test(text) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
  if (!real) return "must be a date such as 2026-07-01";
  return text < EARLIEST || text > next(today) ? "lies before 1900 or in the future" : null;
}

// The server's clock may be a day ahead: it takes tomorrow, too.
function next(day: string): string {
  return new Date(new Date(`${day}T00:00:00Z`).getTime() + 86_400_000).toISOString().slice(0, 10);
}

/** A time as the clocks of the city show it, to the minute: "2026-07-01T08:00". */
function cityTime(of: string | number): string {
  const options = { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "short" } as const;
  return new Date(of).toLocaleString("sv-SE", options).replace(" ", "T");
}
