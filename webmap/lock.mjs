// After a change of package.json: writes package-lock.json anew. npm records where packages ask for donations; those
// host names are left out, as `.npmrc` leaves out the registry's.
import { execSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

const FILE = "package-lock.json";
rmSync(FILE, { force: true });
rmSync("node_modules", { force: true, recursive: true }); // npm would lock only what is installed here
execSync("npm install --package-lock-only", { stdio: "inherit" });
const lock = JSON.parse(readFileSync(FILE, "utf8"));
for (const entry of Object.values(lock.packages)) delete entry.funding;
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
execSync("npm ci", { stdio: "inherit" });
