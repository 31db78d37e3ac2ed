/** The map in the hand of a tool: pointing at things waits meanwhile, and keys draw as well as a pointer does. */
import type { CityMap } from "../map/map.ts";
import type { Heard, Sketch } from "./sketch.ts";

/** Take the map in hand; the returned function gives it back, also before Terra Draw has arrived. */
export function takeInHand(cityMap: CityMap, tool: string, heard: Heard, begun: (sketch: Sketch) => void): () => void {
  const canvas = cityMap.map.getCanvas();
  let sketch: Sketch | null = null;
  let over = false;
  canvas.dataset.tool = tool;
  const keys = (event: KeyboardEvent) => {
    if (event.key !== " ") return;
    event.preventDefault();
    clickCentre(canvas);
  };
  canvas.addEventListener("keydown", keys);
  void import("./sketch.ts").then(({ startSketch }) => {
    if (over) return;
    sketch = startSketch(cityMap.map, cityMap.roles(), heard);
    begun(sketch);
  });
  return () => {
    over = true;
    sketch?.stop();
    canvas.removeEventListener("keydown", keys);
    delete canvas.dataset.tool;
    canvas.style.cursor = "";
  };
}

/** What a pointer would do in the middle of the map. */
function clickCentre(canvas: HTMLCanvasElement): void {
  const box = canvas.getBoundingClientRect();
  const place = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
  const common = { ...place, bubbles: true, isPrimary: true, pointerId: 1, pointerType: "mouse", button: 0 };
  for (const type of ["pointermove", "pointerdown", "pointerup"]) {
    canvas.dispatchEvent(new PointerEvent(type, { ...common, buttons: type === "pointerdown" ? 1 : 0 }));
  }
}
