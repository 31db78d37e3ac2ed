/** Opening hours in words. */
import type { Lang } from "../words/i18n.ts";

const DAYS: Readonly<Record<string, string>> = {
  Mo: "周一",
  Tu: "周二",
  We: "周三",
  Th: "周四",
  Fr: "周五",
  Sa: "周六",
  Su: "周日",
};

/** "周一至周五 08:30-11:30，14:00-17:30"; in English as offices write it. */
export function hoursText(lang: Lang, hours: string): string {
  if (lang === "en") return hours;
  if (hours === "24/7") return "全天";
  return hours
    .replace(/[A-Z][a-z](?:-[A-Z][a-z])?/g, (days) =>
      days
        .split("-")
        .map((day) => DAYS[day] ?? day)
        .join("至"),
    )
    .replace("周一至周日", "每天")
    .replaceAll(",", "、")
    .replaceAll("; ", "；");
}
