// `npm run build`: writes dist/, what the package ships. Plain JavaScript (the SDK's for
// Node 22, the server's for Node 24), its types, and
// the guests' Python files beside the code that starts them.
import { execFileSync } from "node:child_process";
import { cpSync, globSync, rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
execFileSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
for (const file of globSync("src/sandbox/**/*.{py,sh}")) cpSync(file, `dist/${file}`);
