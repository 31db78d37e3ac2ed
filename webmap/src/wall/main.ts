/** The wall: wires the parts together, keeps them in step with the city, and keeps them running for days. */

import type { StyleSpecification } from "maplibre-gl";
import { livePath, Refused, token, Unreachable } from "../city/api.ts";
import { loadCity } from "../city/city.ts";
import type { Message } from "../city/events.ts";
import type { Change as TileChange } from "../city/freshness.ts";
import { type Listener, type LiveState, listen } from "../city/live.ts";
import { atMostEvery } from "../city/pace.ts";
import { type Topic, topics } from "../city/topics.ts";
import { type CityMap, createMap } from "../map/map.ts";
import { type App, createApp } from "../page/app.ts";
import { begin } from "../page/begin.ts";
import { fill } from "../page/dom.ts";
import { createStore, type State } from "../page/state.ts";
import { whyIn } from "../page/why.ts";
import { age } from "../words/format.ts";
import { word } from "../words/i18n.ts";
import { type Carousel, carousel } from "./carousel.ts";
import { type Clock, serverClock } from "./clock.ts";
import type { Change } from "./events.ts";
import { type Follower, followEvents } from "./follow.ts";
import { closerBy } from "./scale.ts";
import { type Setting, settingFrom, tokenFrom } from "./setting.ts";
import { buildShell, hour, type Shell, say, sized } from "./shell.ts";
import { dressed } from "./style.ts";
import { line } from "./text.ts";
import "../page/theme.css";
import "./wall.css";

declare global {
  interface Window {
    /** For tests: the map, and a promise that settles at its first idle. */
    __chengtu?: { map: CityMap["map"]; ready: Promise<void> };
  }
}

const SECOND_MS = 1_000;
/** A connection that is back within this time was none to speak of. */
const GRACE_MS = 5_000;
const AGAIN_MS = 15_000;
/** Who does not answer by then is not there. */
const PATIENCE_MS = 30_000;
const RELOAD_AT_MOST_MS = 600_000;
const CURSOR_MS = 3_000;
const RECOUNT_MS = 60_000;
const RELOADED = "chengtu.wall.reloaded";

function stateFor(known: readonly Topic[], lang: Setting["lang"]): State {
  return {
    ...{ topic: null, view: null, looks: {}, opacity: {}, breaks: "quantile", conditions: {}, listed: null },
    // Those of all topics, so that their tiles come together and the next topic is there at once.
    layers: [...new Set(known.flatMap(({ layers }) => layers.map(({ layer }) => layer)))],
    ...{ hidden: {}, rasters: [], density: null, palette: "dark", lang, frame: "EPSG:4326" },
    ...{ selected: null, hovered: null },
  };
}

function chosen(known: readonly Topic[], names: readonly string[] | null): Topic[] {
  if (names === null) return known.filter(({ wall }) => wall !== null);
  return names.flatMap((name) => known.find((each) => each.name === name) ?? []);
}

async function start(root: HTMLElement, setting: Setting): Promise<void> {
  const link = connection();
  const clock = serverClock(link.answered);
  await answeredSoon(clock.ask()); // before anything else: the release of which this page is
  const [city, all] = await answeredSoon(Promise.all([loadCity(), topics()]));
  const known = chosen(all, setting.topics);
  const plain = stateFor(known, setting.lang);
  const app = createApp(createStore(plain), city);
  document.title = `${app.title(city.city.title)} · ${app.t("brand")}`;
  const shell = buildShell(root, app);
  let round: Carousel | null = null;
  const scale = sized(shell, setting, () => round?.relaid());
  if (known.length === 0) {
    say(shell.banner, [app.t("wallNoTopics"), app.t("wallNoTopicsWhy")]);
    setTimeout(startAnew, RECOUNT_MS);
    return;
  }
  // The stream is opened before the map asks for its first tile, so that nothing falls between the two.
  const dress = (style: StyleSpecification) => dressed(style, scale(), closerBy(innerHeight));
  const drawing = createMap(shell.map, app, tryAgain, dress).then((cityMap): Drawn => {
    round = carousel(shell, app, cityMap, known, { plain, seconds: setting.seconds, now: clock.now });
    const { follow_s } = setting;
    return {
      cityMap,
      round,
      events: followEvents({ shell, app, cityMap, round }, known, { follow_s, now: clock.now }),
    };
  });
  heed(app, drawing, { link, clock });
  const drawn = await drawing;
  const { cityMap, events } = drawn;
  keepTold(shell, app, drawn.round, { link, clock });
  keepFresh(cityMap, clock, events);
  controls(shell, drawn.round, events);
  window.__chengtu = { map: cityMap.map, ready: cityMap.ready };
  void cityMap.ready.then(() => {
    document.documentElement.dataset.ready = "true";
  });
}

/** What comes, unless it takes too long: a wall that waits for ever is a blank wall. */
function answeredSoon<T>(coming: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, fail) => {
    setTimeout(() => fail(new Unreachable(location.pathname)), PATIENCE_MS);
  });
  return Promise.race([coming, late]);
}

/** Load the page again, once there is one to load: on a browser's or a gateway's own error page nobody tries again. */
function startAnew(): void {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  fetch(location.pathname, { cache: "no-store", signal }).then(
    ({ ok }) => (ok ? location.reload() : setTimeout(startAnew, AGAIN_MS)),
    () => setTimeout(startAnew, AGAIN_MS),
  );
}

interface Drawn {
  cityMap: CityMap;
  round: Carousel;
  events: Follower;
}

let retry = 0;
function tryAgain(again: () => void): void {
  clearTimeout(retry);
  retry = window.setTimeout(again, AGAIN_MS);
}

/** Whether the city is in touch: by its stream, or where it has none, by whether the server answers. */
interface Link {
  answered(answers: boolean): void;
  turned(state: LiveState): void;
  /** Since when nothing comes; null while all is well. */
  lostSince(): number | null;
}

function connection(): Link {
  let state: LiveState = { kind: "connecting" };
  let lastAnswer = Date.now();
  let answers = true;
  return {
    answered(now) {
      answers = now;
      if (now) lastAnswer = Date.now();
    },
    turned(now) {
      state = now;
    },
    lostSince() {
      const since = state.kind === "waiting" ? state.since.getTime() : answers ? null : lastAnswer;
      return since !== null && Date.now() - since > GRACE_MS ? since : null;
    },
  };
}

interface Ties {
  link: Link;
  clock: Clock;
}

/** Do what the city's stream tells: tiles anew, figures anew, events to follow. */
function heed(app: App, drawing: Promise<Drawn>, { link, clock }: Ties): void {
  const recount = atMostEvery(RECOUNT_MS, () => void app.city.recount().catch(() => undefined));
  const heeded = ({ cityMap, round, events }: Drawn, { event, data }: Message, resumed: boolean) => {
    if (event === "reset" || (event === "hello" && !resumed)) {
      cityMap.refresher.everythingChanged();
      if (event === "hello") return; // the first one: everything was asked for just now
      cityMap.shading.changed(null);
      round.changed(null);
      recount();
    } else if (event === "tiles") {
      const change = JSON.parse(data) as TileChange & { layer: string };
      for (const source of cityMap.sourcesOf(change.layer)) cityMap.refresher.changed(source, change);
      cityMap.shading.changed(change.layer);
      round.changed(change.layer);
    } else if (event === "record") {
      const change = JSON.parse(data) as Change;
      round.changed(change.layer);
      events.heard(change);
    }
  };
  const said = (message: Message, resumed: boolean) => {
    if (message.event === "hello") void clock.ask();
    void drawing.then(
      (drawn) => heeded(drawn, message, resumed),
      () => undefined, // a wall that could not be drawn has nothing to keep fresh
    );
  };
  const names = app.city.layers.map(({ name }) => name);
  if (names.length > 0) void listenAgain(livePath(names), { said, turned: link.turned });
}

/** Listen on where the stream was refused: a gateway may have answered for the server, or the token is no good any more. */
async function listenAgain(path: string, listener: Listener): Promise<never> {
  for (;;) {
    await listen(path, listener, new AbortController().signal);
    await new Promise((settle) => setTimeout(settle, RECOUNT_MS));
    await topics().catch((error: unknown) => isDenied(error) && startAnew());
  }
}

const isDenied = (error: unknown): boolean =>
  error instanceof Refused && (error.status === 401 || error.status === 403);

/** The time, the age of the figures, and what is wrong, each second. */
function keepTold(shell: Shell, app: App, round: Carousel, { link, clock }: Ties): void {
  let wasLost = false;
  const tell = () => {
    const { lang } = app.store.get();
    shell.clock.textContent = hour(clock.now());
    const lost = link.lostSince();
    const time = lost === null ? "" : hour(lost + clock.now() - Date.now());
    say(shell.banner, lost === null ? [] : [app.t("wallLost"), app.t("wallLostSince", { time })]);
    if (shell.root.classList.toggle("lost", lost !== null) !== wasLost) round.relaid(); // the banner takes its room
    wasLost = lost !== null;
    const at = round.at();
    const text = at === null || lost !== null ? "" : `${app.t("wallData")} ${age(lang, at, clock.now())}`;
    if (shell.age.dataset.text !== text) {
      shell.age.dataset.text = text;
      fill(shell.age, ...line("", text).childNodes);
    }
  };
  setInterval(tell, SECOND_MS);
  tell();
}

/** Start anew after a release, or when the graphics card let go of the map; never while an event is shown. */
function keepFresh({ map }: CityMap, clock: Clock, events: Follower): void {
  let broken = false;
  map.on("webglcontextlost", () => {
    broken = true;
  });
  setInterval(() => {
    if (!(broken || clock.outdated()) || events.following()) return;
    const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
    if (Date.now() - last < RELOAD_AT_MOST_MS) return;
    sessionStorage.setItem(RELOADED, String(Date.now()));
    startAnew();
  }, SECOND_MS);
}

/** Nobody needs them: arrows for topic and panels, space to stop, Escape to leave an event; the pointer hides. */
function controls(shell: Shell, round: Carousel, events: Follower): void {
  const doing: Record<string, () => void> = {
    ArrowRight: () => round.step(1),
    ArrowLeft: () => round.step(-1),
    ArrowDown: () => round.turn(1),
    ArrowUp: () => round.turn(-1),
    " ": round.pause,
    Escape: () => events.leave(),
  };
  addEventListener(
    "keydown",
    (event) => {
      const act = doing[event.key];
      if (act === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    },
    { capture: true },
  );
  let timer = 0;
  const moved = () => {
    shell.root.classList.remove("no-pointer");
    clearTimeout(timer);
    timer = window.setTimeout(() => shell.root.classList.add("no-pointer"), CURSOR_MS);
  };
  addEventListener("pointermove", moved);
  moved();
}

/** A screen that is switched on before the server, or whose token was revoked, says so and tries on. */
function failed(root: HTMLElement, setting: Setting, error: unknown): void {
  const { lang } = setting;
  const [what, why]: [string, string] = isDenied(error)
    ? [word(lang, "wallTokenWrong"), word(lang, "wallTokenWrongWhy")]
    : [word(lang, "wallLost"), error instanceof Unreachable ? word(lang, "wallUnanswered") : whyIn(lang, error)];
  root.className = "alone";
  fill(root, line("strong", what), line("", why));
  setTimeout(startAnew, AGAIN_MS);
}

/** The token comes by the URL, and does not stay there. */
function tokenTaken(): void {
  const given = tokenFrom(location.hash);
  if (given === null) return;
  token.set(given);
  history.replaceState(null, "", location.pathname + location.search);
}

tokenTaken();
const setting = settingFrom(location.search);
document.documentElement.lang = setting.lang === "zh" ? "zh-CN" : "en";
begin(
  (root) => start(root, setting),
  (root, error) => failed(root, setting, error),
);
