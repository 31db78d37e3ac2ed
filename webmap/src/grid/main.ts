/** The grid worker's phone: signs in, opens what the phone keeps, and wires the views together. */
import { Unreachable } from "../city/api.ts";
import { loadCity } from "../city/city.ts";
import type { Brief } from "../city/incidents.ts";
import { type App, createApp } from "../page/app.ts";
import { begin } from "../page/begin.ts";
import { fill, h } from "../page/dom.ts";
import { signIn, signOut } from "../page/signin.ts";
import { blank, createStore, type State } from "../page/state.ts";
import type { Lang } from "../words/i18n.ts";
import { type Area, areaOf, isOld, keepArea } from "./area.ts";
import { openCases } from "./cases.ts";
import { type Ground, openGround } from "./ground.ts";
import { openKept } from "./kept.ts";
import { type Installing, type Offline, openMenu } from "./menu.ts";
import { openOutbox } from "./outbox.ts";
import type { Phone, View } from "./phone.ts";
import { prime, register } from "./register.ts";
import { reportView } from "./reportview.ts";
import { buildShell, type Shell, showHead, showStrip, showTabs } from "./shell.ts";
import { openShift } from "./shift.ts";
import { taskList } from "./tasklist.ts";
import { taskView } from "./taskview.ts";
import { waitingView } from "./waitingview.ts";
import { whoIsHere } from "./who.ts";
import "../page/theme.css";
import "./grid.css";

/** What a worker looks for beside tasks: the city's ground, its grids and what stands in them. */
const SHOWN = ["building", "grid", "road", "component", "place"];

const langAsked = (): Lang => (new URLSearchParams(location.search).get("lang") === "en" ? "en" : "zh");

function stateFor(city: { layers: { name: string }[] }, lang: Lang): State {
  const layers = city.layers.map(({ name }) => name).filter((name) => SHOWN.includes(name));
  return { ...blank(), layers, palette: "light", lang };
}

let installing: Installing | null = null;
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  installing = event as Installing;
});

async function start(root: HTMLElement): Promise<void> {
  const lang = langAsked();
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  const offline = register();
  const kept = await openKept();
  const who = await whoIsHere(kept);
  const city = await loadCity();
  const app = createApp(createStore(stateFor(city, lang)), city);
  document.title = `${app.t("gridPage")} · ${app.t("brand")}`;
  const shell = buildShell(root);
  if (who === null) {
    await kept.setFact("who", null);
    signInFirst(shell, app);
    return;
  }
  await city.detail("incident").catch((error: unknown) => {
    if (!(error instanceof Error)) throw error; // codes are shown where their words are not to be had
  });
  const phone: Phone = {
    ...{ app, lang, who, kept },
    outbox: await openOutbox(kept, who.login),
    cases: await openCases(kept),
    shift: await openShift(kept),
    signOut: async () => signOut(),
    say: shell.say,
  };
  await run(shell, phone, await areaOf(kept, who).catch(unreached), offline);
}

function unreached(error: unknown): null {
  if (error instanceof Unreachable) return null;
  throw error;
}

function signInFirst({ main }: Shell, app: App): void {
  const button = h("button", { type: "button", class: "primary big", onclick: () => signIn(app) }, app.t("signIn"));
  fill(
    main,
    h("section", { class: "view hello" }, h("h1", {}, app.t("gridPage")), h("p", {}, app.t("gridSignInFirst")), button),
  );
  document.documentElement.dataset.ready = "true";
}

async function run(shell: Shell, phone: Phone, area: Area | null, registering: Promise<boolean>): Promise<void> {
  const { app, outbox, cases, shift } = phone;
  let ground: Ground | null = null;
  let mapAsked = (): void => undefined;
  const groundThere = new Promise<void>((settle) => {
    mapAsked = settle;
  });
  const mapView = (): View => ground ?? away;
  const away = notThere(app.t("gridMapAway"));
  const goTo = (brief: Brief): void => {
    location.hash = `#task/${encodeURIComponent(brief.id)}`;
  };
  const report = reportView(phone, {
    middle: area === null ? null : [(area.bounds[0] + area.bounds[2]) / 2, (area.bounds[1] + area.bounds[3]) / 2],
    async pick(from) {
      location.hash = "#map";
      await groundThere;
      const place = (await ground?.pick(from)) ?? null;
      location.hash = "#report";
      return place;
    },
  });
  const task = taskView(phone, {
    showOnMap(brief, way) {
      location.hash = "#map";
      ground?.showTask(brief, way?.line ?? null);
    },
  });
  const views: Record<string, () => View> = {
    tasks: constant(taskList(phone)),
    map: mapView,
    report: constant(report),
    waiting: constant(
      waitingView(phone, { amend: (...given) => (report.amend(...given), void (location.hash = "#report")) }),
    ),
    task: constant(task),
  };
  const offline: Offline = {
    works: await registering,
    area,
    keeping: false,
    keepAgain: () => void keepMap(phone, offline, ground, true),
  };
  const frame = (): void => {
    const { name } = route();
    const title =
      area === null
        ? app.t("gridNoGrid")
        : area.names.length === 1
          ? (area.names[0] ?? "")
          : app.t("gridManyGrids", { n: area.names.length });
    showHead(shell, phone, title, () => openMenu(phone, offline, installing));
    showStrip(shell, phone);
    showTabs(shell, app, {
      open: name === "task" ? "tasks" : name,
      waiting: outbox.box().acts.length,
      tasks: cases.list().length,
    });
  };
  const show = (): void => {
    const { name, part } = route();
    const view = (views[name] ?? views.tasks)?.() ?? away;
    for (const child of shell.main.children) child.classList.toggle("open", child === view.element);
    if (view.element.parentElement === null) shell.main.append(view.element);
    view.element.classList.add("open");
    view.show(part);
    frame();
  };
  const update = (): void => {
    views[route().name]?.().update();
    frame();
  };
  addEventListener("hashchange", show);
  for (const source of [cases, shift, outbox]) source.on(update);
  renewArrived(phone);
  show();
  document.documentElement.dataset.ready = "true";
  void cases.refresh();
  outbox.kick();
  ground = await openGround(phone, { bounds: area?.bounds ?? null, opened: goTo });
  mapAsked();
  show();
  Object.assign(window, { __chengtu: { map: ground.cityMap.map, ready: ground.cityMap.ready } });
  await ground.cityMap.ready;
  document.documentElement.dataset.map = "true";
  await prime();
  await keepMap(phone, offline, ground, false);
  document.documentElement.dataset.kept = String(offline.area?.keptAt != null);
}

const constant = (view: View) => (): View => view;

/** Keep the map of the area where that is possible, and due. */
async function keepMap(phone: Phone, offline: Offline, ground: Ground | null, now: boolean): Promise<void> {
  const { area } = offline;
  if (!offline.works || ground === null || area === null || offline.keeping || !navigator.onLine) return;
  if (!now && !isOld(area, ground.templates(), Date.now())) return;
  offline.keeping = true;
  try {
    offline.area = await keepArea(phone.kept, area, ground.templates(), ground.cityMap.deepest);
  } catch {
    phone.say(phone.app.t("gridNotKept")); // it is tried again when the page is opened next
  } finally {
    offline.keeping = false;
  }
}

/** Ask anew for the cases of which an act has arrived: what can be done next has changed. */
function renewArrived({ outbox, cases }: Phone): void {
  let before = outbox.box().acts;
  outbox.on(() => {
    const { acts } = outbox.box();
    const gone = before.filter(({ key }) => !acts.some((act) => act.key === key));
    before = acts;
    if (gone.length > 0) void cases.refresh();
  });
}

function route(): { name: string; part: string } {
  const [name = "", part = ""] = location.hash.slice(1).split("/", 2);
  return { name: name === "" ? "tasks" : name, part };
}

function notThere(text: string): View {
  const element = h("section", { class: "view" }, h("p", { class: "nothing" }, text));
  return { element, show: () => undefined, update: () => undefined };
}

begin(start);
