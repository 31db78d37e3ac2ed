/** The page of residents: report what is wrong in the city without an account, and read back what became of it. */
import { loadCity } from "../city/city.ts";
import { offered } from "../city/residents.ts";
import { type App, createApp } from "../page/app.ts";
import { begin } from "../page/begin.ts";
import { fill, h } from "../page/dom.ts";
import { blank, createStore, type State } from "../page/state.ts";
import type { Lang } from "../words/i18n.ts";
import { type Filed, formView } from "./form.ts";
import { receiptList, receiptView } from "./receipt.ts";
import { fragmentOf, keyFrom, receipts } from "./receipts.ts";
import "../page/theme.css";
import "./report.css";

const SHOWN = ["county", "town", "road", "building", "place"];

const langAsked = (): Lang => (new URLSearchParams(location.search).get("lang") === "en" ? "en" : "zh");

async function start(root: HTMLElement): Promise<void> {
  const [city, { open }] = await Promise.all([loadCity(), offered()]);
  const lang = langAsked();
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  const layers = city.layers.map(({ name }) => name).filter((name) => SHOWN.includes(name));
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const state: State = { ...blank(), layers, lang, palette: dark ? "dark" : "light" };
  const app = createApp(createStore(state), city);
  document.title = `${app.t("residentTitle")} · ${app.title(city.city.title)}`;
  const main = h("main", {});
  fill(root, head(app), main, foot(app));
  root.className = "resident";
  let over = new AbortController();
  let lost: string | null = null;
  const filed = ({ key, title, lost: why }: Filed): void => {
    receipts.keep({ ...key, title, at: new Date().toISOString() });
    lost = why;
    location.hash = fragmentOf(key);
  };
  const show = (): void => {
    over.abort();
    over = new AbortController();
    const key = keyFrom(location.hash);
    if (key !== null) fill(main, receiptView(app, key, { lost, signal: over.signal }), again(app));
    else if (open) fill(main, formView(app, filed), receiptList(app));
    else fill(main, closed(app), receiptList(app));
    lost = null;
    if (key !== null || !open) document.documentElement.dataset.ready = "true";
    root.scrollTo(0, 0);
  };
  addEventListener("hashchange", show);
  show();
}

function head(app: App): HTMLElement {
  const { lang } = app.store.get();
  const other = lang === "zh" ? "en" : "zh";
  const turn = h("a", { class: "button", href: `?lang=${other}`, lang: other }, app.t("otherLang"));
  turn.onclick = (event) => {
    event.preventDefault();
    location.search = `lang=${other}`;
  };
  return h("header", {}, h("h1", {}, app.t("residentTitle")), h("p", {}, app.title(app.city.city.title)), turn);
}

function foot(app: App): HTMLElement {
  const { city } = app.city;
  const words = [app.t("brand"), app.title(city.attribution), city.mapApproval].filter(Boolean).join(" · ");
  return h("footer", {}, city.synthetic && h("strong", {}, app.t("synthetic")), h("span", {}, words));
}

const again = (app: App): HTMLElement => h("p", { class: "again" }, h("a", { href: "#" }, app.t("residentAgain")));

const closed = (app: App): HTMLElement =>
  h(
    "section",
    { class: "closed", role: "note" },
    h("h2", {}, app.t("residentClosed")),
    h("p", {}, app.t("residentClosedWhy")),
  );

begin(start);
