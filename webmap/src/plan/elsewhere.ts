/** A question to be asked elsewhere: as Python for a notebook, and as a URL for QGIS. */
import type { Plan } from "../city/questions.ts";

/** A cell for a notebook, for the client that the server hands out. */
export function asPython(asked: Readonly<Record<string, unknown>>, origin: string, lang: string): string {
  const parts = Object.entries(asked).map(([name, value]) => `    ${name}=${python(value)},\n`);
  return [
    `# curl -O ${origin}/client/chengtu.py`,
    "from chengtu import City",
    "",
    `city = City(${python(origin)}, lang=${python(lang)})`,
    `answer = city.query(\n${parts.join("")})`,
    "city.show(answer)",
    "",
  ].join("\n");
}

/** Where QGIS finds the records by their filter and always fresh; null where no filter can name them. */
export const itemsUrl = (plan: Plan, origin: string): string | null =>
  plan.items === null ? null : new URL(plan.items, origin).href;

function python(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([key, each]) => `${python(key)}: ${python(each)}`)
      .join(", ")}}`;
  // A JSON text is a Python text, too.
  return JSON.stringify(value);
}
