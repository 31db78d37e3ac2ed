/** The page takes its colours from the palette of the map: one source for both. */
export function paintPage(roles: Record<string, string>, palette: string): void {
  const root = document.documentElement;
  for (const [role, colour] of Object.entries(roles)) root.style.setProperty(`--${role.replace("_", "-")}`, colour);
  root.dataset.palette = palette;
  root.style.colorScheme = palette === "dark" ? "dark" : "light";
}
